"""Mails that people ask for (codes, resets, confirmations) are sent from rows, by a worker."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from core import outbox
from core.mail import make_message_id
from provisioning.models import OutgoingMail

log = structlog.get_logger(__name__)

# Its code or link has expired by then: the person has asked for another.
GIVEN_UP_AFTER = timedelta(hours=1)
EMPTIED = {"text": "", "html": ""}
Status = OutgoingMail.Status


def queue_mail(*, to: str, subject: str, text: str, html: str) -> OutgoingMail:
    """Keep a mail and ask for its sending on commit. Calls nobody."""
    with transaction.atomic():
        mail = OutgoingMail.objects.create(to=to, subject=subject[:255], text=text, html=html)
        outbox.enqueue(mail)
    return mail


def send_mail(*, mail_id: UUID) -> None:
    """Send a mail that is due. Repeating it is safe; a failure is tried again for an hour.

    One that was sent by a process that died before it could write so is sent again, under the same
    Message-ID.
    """
    mail = outbox.claim(OutgoingMail.objects.all(), pk=mail_id)
    if mail is None:
        return
    try:
        _build(mail).send()
    except Exception as error:  # an address that no mail can be built for, too: it would be tried for ever
        _fail(mail, error)
        return
    outbox.complete(mail, status=Status.SENT, sent_at=timezone.now(), **EMPTIED)


def _build(mail: OutgoingMail) -> EmailMultiAlternatives:
    headers = {"Message-ID": make_message_id(mail.pk)}
    built = EmailMultiAlternatives(subject=mail.subject, body=mail.text, to=[mail.to], headers=headers)
    if mail.html:
        built.attach_alternative(mail.html, "text/html")
    return built


def _fail(mail: OutgoingMail, error: Exception) -> None:
    reason = outbox.describe(error)
    if timezone.now() - mail.created_at < GIVEN_UP_AFTER:
        outbox.reschedule(mail, reason)
    else:
        outbox.complete(mail, status=Status.EXPIRED, last_error=reason, **EMPTIED)
    log.warning("mail_failed", mail=str(mail.pk), error=type(error).__name__)
