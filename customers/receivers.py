"""Receivers of allauth's signals: write the audit log, and end sessions after changes to a login."""

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from core.http.client_ip import get_client_ip
from customers.services.record_sign_in import record_sign_in

from .logins import end_other_sessions, record_login_action
from .models import AuditLogEntry, User
from .recent_login import record_identity_proof

Action = AuditLogEntry.Action
SECOND_FACTORS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey or security key",
}


@receiver(user_logged_in)
def remember_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Record when the person proved their identity. Django's signal fires after all steps of a login."""
    record_identity_proof(request, user_id=user.pk)


@receiver(account.authentication_step_completed)
def remember_reauthentication(request: HttpRequest, user: User, **kwargs: Any) -> None:
    if kwargs.get("reauthenticated") and request.user.pk == user.pk:
        record_identity_proof(request, user_id=user.pk)


@receiver(account.user_logged_in)
def remember_device(request: HttpRequest, user: User, **kwargs: Any) -> None:
    browser = request.headers.get("User-Agent", "")
    if record_sign_in(user=user, browser=browser, address=get_client_ip(request), at=timezone.now()):
        get_adapter().send_notification_mail("account/email/new_device", user)


@receiver([account.password_changed, account.password_set, account.password_reset])
def record_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    record_login_action(request, user, Action.PASSWORD_CHANGED)
    end_other_sessions(request, user)


@receiver(account.email_added)
def record_added_address(request: HttpRequest, user: User, email_address: Any, **kwargs: Any) -> None:
    record_login_action(request, user, Action.EMAIL_ADDED, email_address.email)


@receiver(account.email_removed)
def record_removed_address(request: HttpRequest, user: User, email_address: Any, **kwargs: Any) -> None:
    record_login_action(request, user, Action.EMAIL_REMOVED, email_address.email)


@receiver(account.email_changed)
def record_address(request: HttpRequest, user: User, to_email_address: Any, **kwargs: Any) -> None:
    record_login_action(request, user, Action.EMAIL_CHANGED, f"to {to_email_address.email}")


@receiver(mfa.authenticator_added)
def record_second_factor(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type in SECOND_FACTORS:
        record_login_action(request, user, Action.TWO_FACTOR_ON, SECOND_FACTORS[authenticator.type])
        end_other_sessions(request, user)


@receiver(mfa.authenticator_removed)
def record_removed_second_factor(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type in SECOND_FACTORS:
        record_login_action(request, user, Action.TWO_FACTOR_OFF, SECOND_FACTORS[authenticator.type])


@receiver(mfa.authenticator_reset)
def record_recovery_codes(request: HttpRequest, user: User, **kwargs: Any) -> None:
    record_login_action(request, user, Action.RECOVERY_CODES_MADE)


@receiver(social.social_account_added)
def record_connection(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    record_login_action(request, sociallogin.user, Action.LOGIN_CONNECTED, "GitHub")


@receiver(social.social_account_removed)
def record_disconnection(request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    record_login_action(request, socialaccount.user, Action.LOGIN_DISCONNECTED, "GitHub")
