"""The configuration of Stripe's Billing Portal, without which it does not open."""

from typing import Any

from .client import get_client, read_metadata
from .errors import NotSetUp

# The metadata by which our configuration is found again.
MARK = "rsolv"
MARKED = "billing_portal"
# Plans are canceled and changed through us, which waits for usage (docs/decisions/007).
FEATURES: Any = {
    "customer_update": {"enabled": True, "allowed_updates": ["tax_id"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": False},
    "subscription_update": {"enabled": False},
}


def sync_portal_configuration() -> str:
    """Create our configuration, or change it to what we offer; return its id. Safe to repeat.

    Call inside `translate_errors`. Another configuration, such as the default, is left as it is.
    Source: https://docs.stripe.com/api/customer_portal/configurations/create
    """
    configurations = get_client().v1.billing_portal.configurations
    known = _find_ours()
    if known is None:
        return configurations.create({"features": FEATURES, "metadata": {MARK: MARKED}}).id
    if not _offers(known.features.to_dict()):
        configurations.update(known.id, {"features": FEATURES})
    return str(known.id)


def find_portal_configuration() -> str:
    """Return the id of our configuration. Raises NotSetUp. Call inside `translate_errors`."""
    known = _find_ours()
    if known is None:
        raise NotSetUp("There is no Billing Portal configuration at Stripe yet: run manage.py sync_plans.")
    return str(known.id)


def _find_ours() -> Any:
    """Return our active configuration or None; of two, which two concurrent syncs may create, the first."""
    listed = get_client().v1.billing_portal.configurations.list({"active": True, "limit": 100})
    ours = [each for each in listed.auto_paging_iter() if read_metadata(each, MARK) == MARKED]
    return min(ours, key=lambda each: (each.created, each.id), default=None)


def _offers(features: dict[str, Any]) -> bool:
    """Whether each feature has the values that we set. Stripe adds values of its own."""
    return all(
        features.get(name, {}).get(key) == value
        for name, wanted in FEATURES.items()
        for key, value in wanted.items()
    )
