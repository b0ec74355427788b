"""/v1/billing_portal/sessions: the URL of a page where a customer manages cards and plans."""

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import missing_object
from sandbox.stripe.ids import new_id
from sandbox.stripe.params import Choice, Field, Required, Shape, Text
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

CONFIGURATION = "bpc_sandbox"
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
    if params.get("configuration") not in (None, CONFIGURATION):
        raise missing_object("configuration", params["configuration"], "configuration")
    id = new_id("bps")
    return env.add(
        "billing_portal.session",
        id,
        event="billing_portal.session.created",
        configuration=CONFIGURATION,
        customer=customer["id"],
        customer_account=None,
        flow=_flow(params.get("flow_data")),
        locale=params.get("locale"),
        on_behalf_of=None,
        return_url=params.get("return_url"),
        url=f"{env.url}/portal/{id}",
    )


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
