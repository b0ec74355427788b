"""/v1/billing_portal/sessions: the URL of a page where a customer manages cards and plans."""

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.ids import new_id
from sandbox.stripe.params import Choice, Field, Required, Shape, Text
from sandbox.stripe.resources.portal_configurations import KIND
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

CREATE: dict[str, Field] = {
    "customer": Required(Text()),
    "configuration": Text(),
    "locale": Text(),
    "return_url": Text(),
    "flow_data": Shape(
        {
            "type": Required(Choice(("payment_method_update", "subscription_cancel"))),
            "subscription_cancel": Shape({"subscription": Required(Text())}),
            "after_completion": Shape(
                {
                    "type": Required(Choice(("redirect", "portal_homepage"))),
                    "redirect": Shape({"return_url": Required(Text())}),
                }
            ),
        }
    ),
}


@route("POST", "/v1/billing_portal/sessions", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    customer = env.require("customer", params["customer"], "customer")
    configuration = _find_configuration(env, params.get("configuration"))
    _check_flow(configuration, params.get("flow_data"))
    id = new_id("bps")
    return env.add(
        "billing_portal.session",
        id,
        event="billing_portal.session.created",
        configuration=configuration["id"],
        customer=customer["id"],
        customer_account=None,
        flow=_flow(params.get("flow_data")),
        locale=params.get("locale"),
        on_behalf_of=None,
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{env.url}/portal/{id}",
    )


def _find_configuration(env: StripeEnvironment, id: str | None) -> Record:
    """Return the named configuration. There is no default: that one is made in Stripe's dashboard."""
    if id is None:
        raise StripeFailure(
            "No configuration provided and your test mode default configuration has not been created. "
            "Provide a configuration or create your default by saving your customer portal settings in test "
            "mode at https://dashboard.stripe.com/test/settings/billing/portal."
        )
    configuration = env.require(KIND, id, "configuration")
    if not configuration["active"]:
        raise StripeFailure(f"The configuration {id} is not active.", param="configuration")
    return configuration


def _check_flow(configuration: Record, given: Record | None) -> None:
    if given and not configuration["features"][given["type"]]["enabled"]:
        message = f"The configuration {configuration['id']} does not enable {given['type']}."
        raise StripeFailure(message, param="flow_data[type]")


def _flow(given: Record | None) -> Record | None:
    if given is None:
        return None
    cancel = given.get("subscription_cancel")
    return {
        "after_completion": given.get("after_completion") or {"type": "portal_homepage"},
        "subscription_cancel": {**cancel, "retention": None} if cancel else None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": given["type"],
    }
