"""How people log in: second steps, GitHub accounts, places. Allauth's own pages would show secrets."""

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
from customers.services.change_by_staff import remove_second_step

# The mail that a person gets when a second step is removed; recovery codes are removed along with it.
REMOVED = {
    Authenticator.Type.TOTP: "mfa/email/totp_deactivated",
    Authenticator.Type.WEBAUTHN: "mfa/email/webauthn_removed",
}


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Addresses are added and confirmed by whoever reads their mail, and by nobody else."""

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
    actions = ("take_away",)

    def has_take_away_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")

    @admin.action(
        description="Take away: for somebody locked out, once they have shown who they are",
        permissions=("take_away",),
    )
    def take_away(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        chosen = list(queryset.select_related("user"))
        for authenticator in chosen:
            remove_second_step(
                authenticator=authenticator,
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
            if template := REMOVED.get(authenticator.type):
                get_adapter().send_notification_mail(template, authenticator.user)
        self.message_user(request, f"{len(chosen)} taken away.", messages.SUCCESS)


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
