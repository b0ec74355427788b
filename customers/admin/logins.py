"""How people log in: second steps, GitHub accounts, places. Allauth's own pages would show secrets."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from customers import services
from customers.models import AuditEntry, LoginPlace
from customers.selectors import get_membership
from rsolv.admin import ReadOnlyAdmin

for model in (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(model)


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
    @transaction.atomic
    def take_away(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for authenticator in queryset.select_related("user"):
            membership = get_membership(authenticator.user)
            if membership is not None:
                services.record_act(
                    customer=membership.customer,
                    act=AuditEntry.Act.TWO_FACTOR_OFF,
                    actor=request.user,  # type: ignore[arg-type]
                    subject=f"{authenticator.user.email}: {authenticator.get_type_display()}",
                    at=timezone.now(),
                )
        count = queryset.count()
        queryset.delete()
        self.message_user(request, f"{count} taken away.", messages.SUCCESS)


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__email", "uid")
    fields = list_display


@admin.register(LoginPlace)
class LoginPlaceAdmin(ReadOnlyAdmin):
    list_display = ("user", "first_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("fingerprint",)
