"""Staff's view of signups, and the way to try a step again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin
from provisioning.models import ProvisioningEvent, SignupRequest, TrialGrant
from provisioning.services import retry_failed_steps


@admin.register(ProvisioningEvent)
class ProvisioningEventAdmin(ReadOnlyAdmin):
    list_display = ("customer", "step", "state", "due_at", "attempts", "done_at", "last_error")
    list_filter = ("state", "step", "due_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "last_error")
    actions = ("try_again",)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.change_provisioningevent")

    @admin.action(description="Try again what failed", permissions=("try_again",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[ProvisioningEvent]) -> None:
        ids = [event.pk for event in queryset]
        count = retry_failed_steps(ids=ids, at=timezone.now())
        self.message_user(request, f"{count} steps: the sweep takes them within a minute.", messages.SUCCESS)


@admin.register(SignupRequest)
class SignupRequestAdmin(ReadOnlyAdmin):
    """Signups that nobody has confirmed, without the hashes of codes, passwords and keys."""

    list_display = fields = ("email", "name", "source", "asked_from", "created_at", "expires_at", "attempts")
    list_filter = ("source", "created_at")
    search_fields = ("email", "name", "asked_from")


@admin.register(TrialGrant)
class TrialGrantAdmin(ReadOnlyAdmin):
    """Which mailboxes have had their trial, and how many an organization had."""

    list_display = ("mailbox", "organization", "customer", "granted_at")
    list_select_related = ("customer",)
    search_fields = ("mailbox", "organization", "customer__name")
