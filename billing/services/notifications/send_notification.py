"""Mail a notification to the customer: at least once."""

from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from billing.models import Notification
from billing.notifications import describe_notification
from billing.selectors.entitlements import find_billing_page
from core import outbox
from core.mail import make_message_id

log = structlog.get_logger(__name__)

# What people may choose not to be mailed. Payments are not among it: whoever misses them is blocked.
OPTIONAL = (Notification.Kind.INCLUDED, Notification.Kind.CAP)
FOR_ROLES = ("owner", "admin", "billing")


def send_notification(*, notification_id: UUID) -> None:
    """Mail a notification that is due to the customer's billing address; a failure is rescheduled.

    A death between the mail server's answer and our commit sends it again, under the same Message-ID. After
    the last attempt it waits for staff. Where nobody who looks after the money wants mail about usage, it is
    done without a mail.
    """
    notification = outbox.claim(Notification.objects.select_related("customer"), pk=notification_id)
    if notification is None:
        return
    if not _is_wanted(notification):
        _finish(notification, "Not mailed: nobody wants mail about usage.")
        return
    try:
        _build_mail(notification).send()
    except Exception as error:  # an address that no mail can be built for, too: it would be tried for ever
        outbox.fail(notification, outbox.describe(error))
        log.error(
            "notification_not_mailed",
            notification=str(notification_id),
            error=str(error),
            attempts=notification.attempts,
        )
        return
    _finish(notification)
    log.info("notification_mailed", notification=str(notification_id), kind=notification.kind)


def _is_wanted(notification: Notification) -> bool:
    """An account that nobody looks after yet is mailed."""
    members = notification.customer.memberships.filter(role__in=FOR_ROLES)
    choices = list(members.values_list("wants_alerts", flat=True))
    return notification.kind not in OPTIONAL or not choices or any(choices)


def _finish(notification: Notification, why: str = "") -> None:
    outbox.complete(notification, status=Notification.Status.DONE, mailed_at=timezone.now(), last_error=why)


def _build_mail(notification: Notification) -> EmailMultiAlternatives:
    words = describe_notification(notification.kind, notification.data)
    context = {
        "words": words,
        "address": words.address or find_billing_page(),
        "customer": notification.customer,
    }
    text = render_to_string("billing/mail/notification.txt", context)
    mail = EmailMultiAlternatives(
        words.title,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [notification.customer.email],
        headers={"Message-ID": make_message_id(notification.pk)},
    )
    mail.attach_alternative(render_to_string("billing/mail/notification.html", context), "text/html")
    return mail
