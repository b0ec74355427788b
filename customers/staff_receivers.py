"""Record logins of staff, failed logins, and changes to their login in the staff audit log."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from core.http.client_ip import get_client_ip
from core.http.user_agents import describe_browser
from customers.services.record_staff_action import record_staff_action

from .models import StaffAction, User

Action = StaffAction.Action


@receiver(account.user_logged_in)
def record_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record(request, user, Action.LOGGED_IN)


@receiver(user_logged_out)
def record_logout(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _record(request, user, Action.LOGGED_OUT)


@receiver(user_login_failed)
def record_wrong_password(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record a wrong password. Attempts that the rate limit blocks are not checked and not recorded."""
    email = credentials.get("email") or credentials.get("username")
    user = User.objects.filter(email__iexact=email, is_staff=True).first() if email else None
    if user is not None and request is not None:
        _record(request, user, Action.LOGIN_FAILED, "password")


@receiver(mfa.authentication_failed)
def record_wrong_code(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _record(request, user, Action.LOGIN_FAILED, authenticator.get_type_display())


@receiver([account.password_changed, account.password_set, account.password_reset])
def record_new_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record(request, user, Action.LOGIN_CHANGED, "password")


@receiver(account.email_changed)
def record_new_address(request: HttpRequest, user: User, to_email_address: Any, **kwargs: Any) -> None:
    _record(request, user, Action.LOGIN_CHANGED, f"address to {to_email_address.email}")


@receiver(mfa.authenticator_added)
def record_second_factor_added(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _record(request, user, Action.LOGIN_CHANGED, f"added {authenticator.get_type_display()}")


@receiver(mfa.authenticator_removed)
def record_second_factor_removed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _record(request, user, Action.LOGIN_CHANGED, f"removed {authenticator.get_type_display()}")


@receiver(social.social_account_added)
def record_social_account(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    _record(request, sociallogin.user, Action.LOGIN_CHANGED, "connected GitHub")


def _record(request: HttpRequest, user: User, action: StaffAction.Action, detail: str = "") -> None:
    if user.is_staff:
        record_staff_action(
            action=action,
            staff=user,
            subject=user.email,
            detail=detail,
            address=get_client_ip(request),
            device=describe_browser(request.headers.get("User-Agent", "")),
            at=timezone.now(),
        )
