"""How allauth sends its mail, keeps its secrets and makes an account of a GitHub login."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from core.encryption import get_cipher
from core.http.base_url import get_base_host
from core.http.client_ip import get_client_ip
from core.mail.catalog import get_mail
from core.mail.queue import queue_mail
from customers.acting_staff import get_acting_staff
from customers.addresses import normalize_email
from customers.logins import end_other_sessions
from customers.mail_limits import is_mailbox_full
from customers.recent_login import is_login_recent

log = structlog.get_logger(__name__)

SECOND_STEP = "second-step"


class AccountAdapter(DefaultAccountAdapter):
    """No request waits for a mail server: what is to be sent is a row, sent in seconds by a worker."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Raise ReauthenticationRequired unless the person has just shown who they are.

        Raised here, because allauth asks on and lets everybody pass who has no password and no second step.
        """
        if not is_login_recent(allauth_context.request):
            raise ReauthenticationRequired
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Allauth's; who has none of them, such as by GitHub alone, is mailed a code."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if methods or not user.is_authenticated:
            return methods
        by_mail = {
            "id": "mail",
            "description": gettext("Get a code by mail"),
            "url": reverse("reauthenticate-by-mail"),
        }
        return [by_mail]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue a mail. One that anybody can have sent is dropped where its mailbox got too many.

        It is dropped in silence: a refusal would tell whether the address has an account.
        """
        limit = get_mail(template_prefix).limit if get_acting_staff() is None else ""
        if limit and is_mailbox_full(email, is_needed=limit == "needed"):
            log.warning("mail_dropped", template=template_prefix)
            return
        site = {"name": "RSOLV", "domain": get_base_host()}  # allauth's is the request's Host header
        queue_mail(template_prefix, to=email, context=context | {"current_site": site})

    def clean_email(self, email: str) -> str:
        """As addresses are kept: one domain has one spelling."""
        cleaned: str = super().clean_email(normalize_email(email))
        return cleaned

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address that our own limits and the audit log see; allauth counts IPv6 by /64 too.

        Raises PermissionDenied where the connection has none.
        """
        address = get_client_ip(request)
        if address is None:
            raise PermissionDenied("The client's address is unknown.")
        return address


class MfaAdapter(DefaultMFAAdapter):
    """Secrets of the second step are encrypted where they lie, with a key made of SECRET_KEY.

    A SECRET_KEY that was replaced goes into SECRET_KEY_FALLBACKS, and what it encrypted can still be read.
    """

    def encrypt(self, text: str) -> str:
        return get_cipher(SECOND_STEP).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return get_cipher(SECOND_STEP).decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Key %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": "RSOLV"}


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

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect a GitHub account only to who has just shown who they are.

        Allauth would keep the connection until the person next answers any question.
        """
        is_connecting = sociallogin.state.get("process") == AuthProcess.CONNECT
        if is_connecting and request.user.is_authenticated and not is_login_recent(request):
            messages.info(request, gettext("Nothing was connected. Press Connect again."))
            raise ImmediateHttpResponse(redirect("socialaccount_connections"))

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


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Sessions that a person ends on their page of sessions."""

    def end_sessions(self, sessions: list[Any]) -> None:
        """All but the present one, those too that the page does not list."""
        end_other_sessions(allauth_context.request, allauth_context.request.user)
