"""How allauth sends its mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter

from .services import queue_mail


class AccountAdapter(DefaultAccountAdapter):
    """No request waits for a mail server: what is to be sent is a row, sent in seconds by a worker."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        rendered = self.render_mail(template_prefix, email, context)
        html = next((body for body, kind in getattr(rendered, "alternatives", []) if kind == "text/html"), "")
        queue_mail(to=email, subject=rendered.subject, text=rendered.body, html=html)
