"""Send mails with codes, resets and confirmations from outbox rows."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from core.mail.build import Content, build_mail
from core.outbox import leases
from core.outbox.sweep import enqueue
from provisioning.models import OutgoingMail

log = structlog.get_logger(__name__)

# By then the code or link has expired, and the person has requested another.
GIVE_UP_AFTER = timedelta(hours=1)
NO_TEXT = {"text": "", "html": ""}
Status = OutgoingMail.Status


def create_outgoing_mail(*, to: str, content: Content) -> OutgoingMail:
    """Create the row of a mail and enqueue its sending on commit. It is the queue of `core.mail.queue`."""
    with transaction.atomic():
        mail = OutgoingMail.objects.create(
            to=to, subject=content.subject[:255], text=content.text, html=content.html
        )
        enqueue(mail)
    return mail


def send_mail(*, mail_id: UUID) -> None:
    """Send a due mail. Safe to repeat; a failure is retried for an hour.

    If a worker dies after sending a mail and before recording it, the mail is sent again with the same
    Message-ID.
    """
    mail = leases.claim(OutgoingMail.objects.all(), pk=mail_id)
    if mail is None:
        return
    try:
        content = Content(subject=mail.subject, text=mail.text, html=mail.html)
        build_mail(content, to=mail.to, reference=mail.pk).send()
    except Exception as error:  # including invalid addresses, so that retries end
        _fail(mail, error)
        return
    leases.complete(mail, status=Status.SENT, sent_at=timezone.now(), **NO_TEXT)


def _fail(mail: OutgoingMail, error: Exception) -> None:
    reason = leases.describe(error)
    if timezone.now() - mail.created_at < GIVE_UP_AFTER:
        leases.reschedule(mail, reason)
    else:
        leases.complete(mail, status=Status.EXPIRED, last_error=reason, **NO_TEXT)
    log.warning("mail_failed", mail=str(mail.pk), error=type(error).__name__)
