"""How allauth sends its mail, keeps its secrets and makes an account of a GitHub login."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext

from rsolv.base_url import get_base_host
from rsolv.client_ip import get_client_ip

from .services import queue_mail


class AccountAdapter(DefaultAccountAdapter):
    """No request waits for a mail server: what is to be sent is a row, sent in seconds by a worker."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        site = {"name": "RSOLV", "domain": get_base_host()}  # allauth's is the request's Host header
        context = {"base_url": settings.BASE_URL} | context | {"current_site": site}
        rendered = self.render_mail(template_prefix, email, context)
        html = next((body for body, kind in getattr(rendered, "alternatives", []) if kind == "text/html"), "")
        queue_mail(
            to=email,
            subject=rendered.subject,
            text=rendered.body,
            html=html or _dress(rendered.subject, rendered.body),
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address that our own limits and the audit log see; allauth counts IPv6 by /64 too.

        Raises PermissionDenied where the connection has none.
        """
        address = get_client_ip(request)
        if address is None:
            raise PermissionDenied("The client's address is unknown.")
        return address


def _dress(subject: str, text: str) -> str:
    """A notification that is written as text only, in the house's mail."""
    words, _, reason = text.partition("\n--\nRSOLV\n")
    return render_to_string(
        "account/email/plain_message.html",
        {"subject": subject, "words": words.strip(), "reason": reason.strip()},
    )


class MfaAdapter(DefaultMFAAdapter):
    """Secrets of the second step are encrypted where they lie, with a key made of SECRET_KEY.

    A SECRET_KEY that was replaced goes into SECRET_KEY_FALLBACKS, and what it encrypted can still be read.
    """

    def encrypt(self, text: str) -> str:
        return _get_cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _get_cipher().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Key %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": "RSOLV"}


def _get_cipher() -> MultiFernet:
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second-step:" + secret.encode()).digest())


class SocialAdapter(DefaultSocialAccountAdapter):
    """GitHub's application comes from the settings alone; without one there is no such page."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        from allauth.socialaccount.models import SocialApp

        configured = settings.SOCIALACCOUNT_PROVIDERS["github"]["APPS"]
        is_asked = provider in (None, "github")
        return [SocialApp(provider="github", name="GitHub", **app) for app in configured if is_asked]

    def get_app(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Any:
        apps = self.list_apps(request, provider=provider, client_id=client_id)
        if not apps:
            raise Http404
        return apps[0]

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.name = (data.get("name") or "")[:150]
        return user

    def get_signup_form_initial_data(self, sociallogin: Any) -> dict[str, Any]:
        profile = sociallogin.account.extra_data
        company = (profile.get("company") or profile.get("login") or "").lstrip("@ ")
        initial: dict[str, Any] = super().get_signup_form_initial_data(sociallogin)
        verified = [each.email for each in sociallogin.email_addresses if each.verified]
        return initial | {"name": company, "email": verified[0] if verified else initial["email"]}
