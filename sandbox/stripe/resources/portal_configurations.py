"""/v1/billing_portal/configurations: what a customer may do in the portal."""

from typing import Any

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Choice, Field, Flag, Listed, Required, Shape, Text, merged
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

KIND = "billing_portal.configuration"
URL = "/v1/billing_portal/configurations"
SWITCH = Shape({"enabled": Required(Flag())})
PRORATION = Choice(("always_invoice", "create_prorations", "none"))
FEATURES = Shape(
    {
        "customer_update": Shape(
            {
                "enabled": Flag(),
                "allowed_updates": Listed(
                    Choice(("address", "email", "name", "phone", "shipping", "tax_id"))
                ),
            }
        ),
        "invoice_history": SWITCH,
        "payment_method_update": SWITCH,
        "subscription_cancel": Shape(
            {
                "enabled": Required(Flag()),
                "mode": Choice(("at_period_end", "immediately")),
                "proration_behavior": PRORATION,
            }
        ),
        "subscription_update": Shape(
            {
                "enabled": Required(Flag()),
                "default_allowed_updates": Listed(Choice(("price", "promotion_code", "quantity"))),
                "proration_behavior": PRORATION,
            }
        ),
    }
)
# A feature that is not given is off.
OFF: dict[str, dict[str, Any]] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "options": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {"default_allowed_updates": [], "enabled": False, "proration_behavior": "none"},
}
PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")
COMMON: dict[str, Field] = {
    "business_profile": Shape({name: Text() for name in PROFILE}),
    "default_return_url": Text(),
    "features": FEATURES,
    "metadata": METADATA,
    "name": Text(),
}


@route("POST", URL, {**COMMON, "features": Required(FEATURES)})
def create(env: StripeEnvironment, params: Record) -> Record:
    """Create a configuration. It is not the default, which is made in the dashboard only."""
    return env.add(
        KIND,
        new_id("bpc"),
        event="billing_portal.configuration.created",
        active=True,
        application=None,
        business_profile={**dict.fromkeys(PROFILE), **(params.get("business_profile") or {})},
        default_return_url=params.get("default_return_url"),
        features=_change_features(OFF, params["features"]),
        is_default=False,
        login_page={"enabled": False, "url": None},
        metadata=merged({}, params.get("metadata")),
        name=params.get("name"),
        updated=env.now(),
    )


@route("GET", URL, {**LIST, "active": Flag(), "is_default": Flag()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    names = ("active", "is_default")

    def keep(configuration: Record) -> bool:
        return all(params.get(name) in (None, configuration[name]) for name in names)

    return page(env.store, KIND, params, URL, keep=keep)


@route("GET", f"{URL}/{{id}}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require(KIND, id)


@route("POST", f"{URL}/{{id}}", {**COMMON, "active": Flag()})
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Change what is given; within a feature too."""
    configuration = env.require(KIND, id)
    names = ("active", "default_return_url", "name")
    changes: dict[str, Any] = {name: params[name] for name in names if name in params}
    if params.get("business_profile"):
        changes["business_profile"] = {**configuration["business_profile"], **params["business_profile"]}
    if params.get("features"):
        changes["features"] = _change_features(configuration["features"], params["features"])
    if "metadata" in params:
        changes["metadata"] = merged(configuration["metadata"], params["metadata"])
    return env.change(configuration, "billing_portal.configuration.updated", **changes, updated=env.now())


def _change_features(old: dict[str, Record], given: Record) -> dict[str, Record]:
    return {name: {**feature, **(given.get(name) or {})} for name, feature in old.items()}
