"""Staff admin pages of addresses, authenticators, GitHub logins and devices.

They replace allauth's own pages, which would show secrets.
"""

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin
from customers.models import KnownDevice
from customers.services.change_by_staff import remove_authenticator

# The mail sent when an authenticator is removed. Recovery codes are removed with the last one, without a mail
# of their own.
REMOVED = {
    Authenticator.Type.TOTP: "mfa/email/totp_deactivated",
    Authenticator.Type.WEBAUTHN: "mfa/email/webauthn_removed",
}


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Read-only: only people who receive mail at an address may add and confirm it."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    fields = ("email", "user", "primary", "verified")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")
    actions = ("remove_authenticators",)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")

    @admin.action(
        description="Remove: for a person who is locked out, after you have verified their identity",
        permissions=("remove",),
    )
    def remove_authenticators(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        chosen = list(queryset.select_related("user"))
        for authenticator in chosen:
            remove_authenticator(
                authenticator=authenticator,
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
            if template := REMOVED.get(authenticator.type):
                get_adapter().send_notification_mail(template, authenticator.user)
        self.message_user(request, f"{len(chosen)} removed.", messages.SUCCESS)


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__email", "uid")
    fields = list_display


@admin.register(KnownDevice)
class KnownDeviceAdmin(ReadOnlyAdmin):
    list_display = ("user", "first_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
