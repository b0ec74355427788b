"""Adapters for allauth: send mail through the outbox, encrypt secrets, create accounts from GitHub logins."""

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
from customers.mail_limits import is_mail_limit_reached
from customers.recent_login import is_login_recent

log = structlog.get_logger(__name__)

TWO_FACTOR_PURPOSE = "second-step"


class AccountAdapter(DefaultAccountAdapter):
    """Sends mail through the outbox, so that no request waits for a mail server.

    A worker sends it in seconds.
    """

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Raise ReauthenticationRequired unless the person has recently proved their identity.

        Returning True is not enough: allauth then lets everybody pass who has neither a password nor a second
        factor.
        """
        if not is_login_recent(allauth_context.request):
            raise ReauthenticationRequired
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return allauth's methods, or a mailed code if there are none.

        A person who only logs in with GitHub has none of allauth's methods.
        """
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
        """Queue a mail. One that anybody can trigger is dropped if its mailbox has received too many.

        Dropped silently: an error would reveal whether the address has an account.
        """
        # The limits are for strangers. What staff send is not dropped.
        limit = get_mail(template_prefix).limit if get_acting_staff() is None else ""
        if limit and is_mail_limit_reached(email, is_essential=limit == "essential"):
            log.warning("mail_dropped", template=template_prefix)
            return
        site = {"name": "RSOLV", "domain": get_base_host()}  # allauth would use the request's Host header
        queue_mail(template_prefix, to=email, context=context | {"current_site": site})

    def clean_email(self, email: str) -> str:
        """Normalize the address, so that each domain has one spelling."""
        cleaned: str = super().clean_email(normalize_email(email))
        return cleaned

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the same address that rate limits and the audit log use.

        allauth's own limits count IPv6 addresses by /64 as well. Raises PermissionDenied if the connection
        has no address.
        """
        address = get_client_ip(request)
        if address is None:
            raise PermissionDenied("The client's address is unknown.")
        return address


class MfaAdapter(DefaultMFAAdapter):
    """Encrypts secrets of second factors in the database, with a key derived from SECRET_KEY.

    After a rotation of SECRET_KEY, add the old value to SECRET_KEY_FALLBACKS to keep them readable.
    """

    def encrypt(self, text: str) -> str:
        return get_cipher(TWO_FACTOR_PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return get_cipher(TWO_FACTOR_PURPOSE).decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Key %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": "RSOLV"}


class SocialAdapter(DefaultSocialAccountAdapter):
    """Takes the GitHub application from the settings only. Without one, the GitHub pages are 404."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        from allauth.socialaccount.models import SocialApp

        configured = settings.SOCIALACCOUNT_PROVIDERS["github"]["APPS"]
        is_requested = provider in (None, "github")
        return [SocialApp(provider="github", name="GitHub", **app) for app in configured if is_requested]

    def get_app(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Any:
        apps = self.list_apps(request, provider=provider, client_id=client_id)
        if not apps:
            raise Http404
        return apps[0]

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect a GitHub account only if the person has recently proved their identity.

        allauth would suspend the connection and complete it at the next reauthentication, whatever that was
        for.
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
    """Ends sessions from the page that lists them."""

    def end_sessions(self, sessions: list[Any]) -> None:
        """End all sessions except the current one, including those that the page does not list."""
        end_other_sessions(allauth_context.request, allauth_context.request.user)
