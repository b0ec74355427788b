"""What allauth announces about people's logins, as acts in their customer's audit log."""

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from . import services
from .access import find_caller
from .models import AuditEntry, User
from .selectors import get_membership

Act = AuditEntry.Act
SECOND_STEPS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey or security key",
}


@receiver(account.user_logged_in)
def remember_place(request: HttpRequest, user: User, **kwargs: Any) -> None:
    browser = request.headers.get("User-Agent", "")
    if services.note_login(user=user, browser=browser, address=find_caller(request), at=timezone.now()):
        get_adapter().send_notification_mail("account/email/new_place", user)


@receiver([account.password_changed, account.password_set, account.password_reset])
def record_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record(request, user, Act.PASSWORD_CHANGED)


@receiver(account.email_changed)
def record_address(request: HttpRequest, user: User, to_email_address: Any, **kwargs: Any) -> None:
    _record(request, user, Act.EMAIL_CHANGED, f"to {to_email_address.email}")


@receiver(mfa.authenticator_added)
def record_second_step(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type in SECOND_STEPS:
        _record(request, user, Act.TWO_FACTOR_ON, SECOND_STEPS[authenticator.type])


@receiver(mfa.authenticator_removed)
def record_second_step_gone(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type in SECOND_STEPS:
        _record(request, user, Act.TWO_FACTOR_OFF, SECOND_STEPS[authenticator.type])


@receiver(social.social_account_added)
def record_connection(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    _record(request, sociallogin.user, Act.LOGIN_CONNECTED, "GitHub")


@receiver(social.social_account_removed)
def record_disconnection(request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    _record(request, socialaccount.user, Act.LOGIN_DISCONNECTED, "GitHub")


def _record(request: HttpRequest, user: User, act: AuditEntry.Act, subject: str = "") -> None:
    membership = get_membership(user)
    if membership is not None:
        services.record_act(
            customer=membership.customer,
            act=act,
            actor=user,
            subject=subject,
            at=timezone.now(),
            address=find_caller(request),
        )
