"""A notice goes out by mail: at least once."""

from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from billing import selectors
from billing.models import Notice
from billing.notices import describe_notice
from billing.retries import LEASE, schedule_retry

log = structlog.get_logger(__name__)

# With waits up to an hour: about a day.
MAX_ATTEMPTS = 30
# What people may choose not to be mailed. Payments are not among it: whoever misses them is blocked.
OPTIONAL = (Notice.Kind.INCLUDED, Notice.Kind.CAP)
FOR_ROLES = ("owner", "admin", "billing")


def mail_notice(*, notice_id: UUID) -> None:
    """Mail a notice that is due to the customer's billing address; a failure is put off, not raised.

    Leased while it is sent, so that two workers do not both send it. A death between the mail server's
    yes and our commit sends it again. After the last attempt it waits for staff. Where nobody who looks
    after the money wants mail about usage, it is done without a mail.
    """
    notice = _take_lease(notice_id, timezone.now())
    if notice is None:
        return
    if not _is_wanted(notice):
        _finish(notice_id, "Not mailed: nobody wants mail about usage.")
        return
    try:
        _build_mail(notice).send()
    except Exception as error:  # an address that no mail can be built for, too: it would be tried for ever
        _put_off(notice, f"{type(error).__name__}: {error}")
        return
    _finish(notice_id)
    log.info("notice_mailed", notice=str(notice_id), kind=notice.kind)


def mail_notice_again(*, notice_id: UUID, at: datetime) -> None:
    """Let a mail that was given up be tried again; the sweep hands it out."""
    given_up = Notice.objects.filter(pk=notice_id, mailed_at=None, next_attempt_at=None)
    given_up.update(next_attempt_at=at, attempts=0)


@transaction.atomic
def _take_lease(notice_id: UUID, now: datetime) -> Notice | None:
    notice = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(pk=notice_id, mailed_at=None, next_attempt_at__lte=now)
        .first()
    )
    if notice is not None:
        notice.attempts, notice.next_attempt_at = notice.attempts + 1, now + LEASE
        notice.save(update_fields=["attempts", "next_attempt_at"])
    return notice


def _is_wanted(notice: Notice) -> bool:
    """An account that nobody looks after yet is mailed."""
    members = notice.customer.memberships.filter(role__in=FOR_ROLES)
    wishes = list(members.values_list("wants_alerts", flat=True))
    return notice.kind not in OPTIONAL or not wishes or any(wishes)


def _finish(notice_id: UUID, why: str = "") -> None:
    Notice.objects.filter(pk=notice_id).update(mailed_at=timezone.now(), next_attempt_at=None, last_error=why)


def _build_mail(notice: Notice) -> EmailMultiAlternatives:
    words = describe_notice(notice.kind, notice.data)
    context = {
        "words": words,
        "address": words.address or selectors.find_billing_page(),
        "customer": notice.customer,
    }
    text = render_to_string("billing/mail/notice.txt", context)
    mail = EmailMultiAlternatives(words.title, text, settings.DEFAULT_FROM_EMAIL, [notice.customer.email])
    mail.attach_alternative(render_to_string("billing/mail/notice.html", context), "text/html")
    return mail


def _put_off(notice: Notice, error: str) -> None:
    is_last = notice.attempts >= MAX_ATTEMPTS
    next_attempt_at = None if is_last else schedule_retry(attempts=notice.attempts, now=timezone.now())
    Notice.objects.filter(pk=notice.pk).update(next_attempt_at=next_attempt_at, last_error=error[:300])
    log.error("notice_not_mailed", notice=str(notice.pk), error=error, attempts=notice.attempts)
