"""One way to render a mail, and one to build the message that is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from .catalog import Mail

SIGNATURE = "\n--\nRSOLV\n"  # layouts/email.txt writes it between the content and the reason for the mail
TEXT_ONLY_HTML = "layouts/email_of_text.html"


@dataclass(frozen=True)
class Content:
    """A rendered mail: the subject is one line; text and HTML end with a newline."""

    subject: str
    text: str
    html: str


def render_mail(mail: Mail, context: Mapping[str, Any]) -> Content:
    """Render a mail in the current language. `base_url` is added to the context.

    Never renders with a request: a worker that sends the mail again has none.
    """
    context = {"base_url": settings.BASE_URL} | dict(context)
    subject = " ".join(render_to_string(f"{mail.prefix}_subject.txt", context).split())
    text = render_to_string(f"{mail.prefix}_message.txt", context).strip() + "\n"
    if mail.is_text_only:
        html = _render_text_as_html(subject, text)
    else:
        html = render_to_string(f"{mail.prefix}_message.html", context)
    return Content(subject=subject, text=text, html=html.strip() + "\n")


def _render_text_as_html(subject: str, text: str) -> str:
    words, _, reason = text.partition(SIGNATURE)
    context = {"subject": subject, "words": words.strip(), "reason": reason.strip()}
    return render_to_string(TEXT_ONLY_HTML, context)


def build_mail(content: Content, *, to: str, reference: UUID) -> EmailMultiAlternatives:
    """Build the message for the outbox row with this id. Calls nobody; `.send()` calls the mail server."""
    mail = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        to=[to],
        headers={"Message-ID": _make_message_id(reference)},
    )
    if content.html:
        mail.attach_alternative(content.html, "text/html")
    return mail


def _make_message_id(reference: UUID) -> str:
    """Return the Message-ID for a row, the same for each attempt, so that mail readers drop a duplicate."""
    domain = settings.BASE_URL.partition("://")[2].partition(":")[0] or "localhost"
    return f"<{reference}@{domain}>"
