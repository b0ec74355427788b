"""The mails of billing: one for each kind of notification, all from the same templates."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import SimpleLazyObject

from billing.notifications import NOTIFICATION_TYPES, describe_notification
from billing.selectors.entitlements import find_billing_page
from core.mail.catalog import Mail, get_mail


def get_notification_mail(kind: str) -> Mail:
    return get_mail(f"billing/mail/{kind}")


def prepare_context(kind: str, data: Mapping[str, Any], *, customer: Any) -> dict[str, Any]:
    """The context of a notification's templates. A mail without a page of its own leads to billing."""
    words = describe_notification(kind, data)
    return {"words": words, "address": words.address or find_billing_page(), "customer": customer}


def _example(kind: str) -> dict[str, Any]:
    """Lazy: words are translated when the example is rendered, not when the process starts."""
    data, customer = NOTIFICATION_TYPES[kind].example, {"name": "acme"}
    words = SimpleLazyObject(lambda: describe_notification(kind, data))
    return {"words": words, "address": "https://rsolv.test/dashboard/billing/", "customer": customer}


MAILS = tuple(
    Mail(
        f"billing/mail/{kind}",
        templates="billing/mail/notification",
        outbox="billing.Notification",
        opt_out="wants_alerts" if notification.is_optional else "",
        example=_example(kind),
    )
    for kind, notification in NOTIFICATION_TYPES.items()
)
