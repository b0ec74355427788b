"""Mails that people ask for (codes, resets, confirmations) leave through a queue of rows."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from billing.retries import LEASE
from core.queue.enqueue import enqueue_on_commit
from provisioning.models import OutgoingMail

log = structlog.get_logger(__name__)

RETRY_EVERY = timedelta(seconds=30)
# Its code or link has expired by then: the person has asked for another.
GIVEN_UP_AFTER = timedelta(hours=1)
EMPTIED = {"text": "", "html": "", "next_attempt_at": None}


def queue_mail(*, to: str, subject: str, text: str, html: str) -> OutgoingMail:
    """Keep a mail and ask for its sending on commit. Calls nobody."""
    with transaction.atomic():
        mail = OutgoingMail.objects.create(to=to, subject=subject[:255], text=text, html=html)
        enqueue_on_commit("provisioning.tasks.send_mail", str(mail.pk))
    return mail


def send_mail(*, mail_id: UUID) -> None:
    """Send a mail that is due. Repeating it is safe; a failure is tried again for an hour."""
    mail = _take_lease(mail_id)
    if mail is None:
        return
    try:
        _build(mail).send()
    except Exception as error:  # an address that no mail can be built for, too: it would be tried for ever
        _put_off(mail, error)
        return
    OutgoingMail.objects.filter(pk=mail_id).update(sent_at=timezone.now(), last_error="", **EMPTIED)


@transaction.atomic
def _take_lease(mail_id: UUID) -> OutgoingMail | None:
    now = timezone.now()
    mail = OutgoingMail.objects.select_for_update().filter(pk=mail_id, next_attempt_at__lte=now).first()
    if mail is not None:
        mail.attempts += 1
        mail.next_attempt_at = now + LEASE
        mail.save(update_fields=["attempts", "next_attempt_at"])
    return mail


def _build(mail: OutgoingMail) -> EmailMultiAlternatives:
    built = EmailMultiAlternatives(subject=mail.subject, body=mail.text, to=[mail.to])
    if mail.html:
        built.attach_alternative(mail.html, "text/html")
    return built


def _put_off(mail: OutgoingMail, error: Exception) -> None:
    now = timezone.now()
    fields = {"next_attempt_at": now + RETRY_EVERY} if now - mail.created_at < GIVEN_UP_AFTER else EMPTIED
    reason = f"{type(error).__name__}: {error}"[:300]
    OutgoingMail.objects.filter(pk=mail.pk).update(last_error=reason, **fields)
    log.warning("mail_put_off", mail=str(mail.pk), error=type(error).__name__)
