"""How allauth sends its mail."""

from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """A mail server that is away does not undo or fail what the mail is about: it can be asked for again."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            log.error("mail_not_sent", template=template_prefix, error=type(error).__name__)
