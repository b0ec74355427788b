"""Mail a notification to the customer: at least once."""

from uuid import UUID

import structlog
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from billing.mails import get_notification_mail, prepare_context
from billing.models import Notification
from core.mail.build import build_mail, render_mail
from core.outbox import leases

log = structlog.get_logger(__name__)

FOR_ROLES = ("owner", "admin", "billing")


def send_notification(*, notification_id: UUID) -> None:
    """Send a due notification to the customer's billing address. A failure is rescheduled.

    If the process dies between the mail server's response and our commit, the mail is sent again with the
    same Message-ID. After the last attempt the notification is parked for staff. It is completed without a
    mail if every owner, admin and billing member has turned off mails about usage.
    """
    notification = leases.claim(Notification.objects.select_related("customer"), pk=notification_id)
    if notification is None:
        return
    if not _is_wanted(notification):
        _finish(notification, "Not mailed: nobody wants mail about usage.")
        return
    try:
        _build_mail(notification).send()
    except Exception as error:  # an address that no mail can be built for, too: retries must end
        leases.fail(notification, leases.describe(error))
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
    """Return whether a billing contact accepts such mail, or the account has no billing contact yet."""
    opt_out = get_notification_mail(notification.kind).opt_out
    if not opt_out:
        return True
    members = notification.customer.memberships.filter(role__in=FOR_ROLES)
    choices = list(members.values_list(opt_out, flat=True))
    return not choices or any(choices)


def _finish(notification: Notification, why: str = "") -> None:
    leases.complete(notification, status=Notification.Status.DONE, mailed_at=timezone.now(), last_error=why)


def _build_mail(notification: Notification) -> EmailMultiAlternatives:
    context = prepare_context(notification.kind, notification.data, customer=notification.customer)
    content = render_mail(get_notification_mail(notification.kind), context)
    return build_mail(content, to=notification.customer.email, reference=notification.pk)
