"""Mail a notification to the customer: at least once."""

from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from billing.models import Notice
from billing.notices import describe_notice
from billing.selectors.standing import find_billing_page
from core import outbox
from core.mail import make_message_id

log = structlog.get_logger(__name__)

# What people may choose not to be mailed. Payments are not among it: whoever misses them is blocked.
OPTIONAL = (Notice.Kind.INCLUDED, Notice.Kind.CAP)
FOR_ROLES = ("owner", "admin", "billing")


def mail_notice(*, notice_id: UUID) -> None:
    """Mail a notification that is due to the customer's billing address; a failure is rescheduled.

    A death between the mail server's answer and our commit sends it again, under the same Message-ID. After
    the last attempt it waits for staff. Where nobody who looks after the money wants mail about usage, it is
    done without a mail.
    """
    notice = outbox.claim(Notice.objects.select_related("customer"), pk=notice_id)
    if notice is None:
        return
    if not _is_wanted(notice):
        _finish(notice, "Not mailed: nobody wants mail about usage.")
        return
    try:
        _build_mail(notice).send()
    except Exception as error:  # an address that no mail can be built for, too: it would be tried for ever
        outbox.fail(notice, outbox.describe(error))
        log.error("notice_not_mailed", notice=str(notice_id), error=str(error), attempts=notice.attempts)
        return
    _finish(notice)
    log.info("notice_mailed", notice=str(notice_id), kind=notice.kind)


def _is_wanted(notice: Notice) -> bool:
    """An account that nobody looks after yet is mailed."""
    members = notice.customer.memberships.filter(role__in=FOR_ROLES)
    wishes = list(members.values_list("wants_alerts", flat=True))
    return notice.kind not in OPTIONAL or not wishes or any(wishes)


def _finish(notice: Notice, why: str = "") -> None:
    outbox.complete(notice, status=Notice.Status.DONE, mailed_at=timezone.now(), last_error=why)


def _build_mail(notice: Notice) -> EmailMultiAlternatives:
    words = describe_notice(notice.kind, notice.data)
    context = {
        "words": words,
        "address": words.address or find_billing_page(),
        "customer": notice.customer,
    }
    text = render_to_string("billing/mail/notice.txt", context)
    mail = EmailMultiAlternatives(
        words.title,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [notice.customer.email],
        headers={"Message-ID": make_message_id(notice.pk)},
    )
    mail.attach_alternative(render_to_string("billing/mail/notice.html", context), "text/html")
    return mail
