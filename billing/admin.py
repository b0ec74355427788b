"""Staff's view of money. The ledger is looked at; what is stuck can be tried again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from billing import services
from billing.models import BillingAccount, InboxEvent, UsageRecord, UsageReport
from rsolv.admin import ReadOnly, ReadOnlyAdmin


@admin.register(BillingAccount)
class BillingAccountAdmin(ModelAdmin):
    """Plan and status follow Stripe; only the trial's size is ours to give."""

    list_display = ("customer", "plan", "status", "current_period_end", "stripe_customer_id", "updated_at")
    list_filter = ("plan", "status")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "stripe_customer__id", "subscription__id")
    fields = (
        "customer",
        "plan",
        "status",
        "trial_fixes_limit",
        "stripe_customer_id",
        "subscription_id",
        "plan_chosen_at",
        "current_period_start",
        "current_period_end",
        "next_attempt_at",
        "updated_at",
    )
    readonly_fields = tuple(name for name in fields if name != "trial_fixes_limit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BillingAccount | None = None) -> bool:
        return False


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    list_display = (
        "customer",
        "repository",
        "issue_number",
        "coverage",
        "plan",
        "unit_price_cents",
        "occurred_at",
    )
    list_filter = ("coverage", "plan", "occurred_at")
    list_select_related = ("customer", "repository__forge_account")
    search_fields = ("id", "customer__name", "customer__email", "repository__name", "=issue_number")
    date_hierarchy = "occurred_at"


@admin.register(UsageReport)
class UsageReportAdmin(ReadOnlyAdmin):
    list_display = (
        "usage_id",
        "customer",
        "status",
        "attempts",
        "next_attempt_at",
        "reported_at",
        "last_error",
    )
    list_filter = ("status", "reported_at")
    list_select_related = ("usage__customer",)
    search_fields = ("usage__id", "usage__customer__name", "usage__customer__email", "last_error")
    actions = ("requeue",)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_usagereport")

    @admin.display(ordering="usage__customer__name")
    def customer(self, report: UsageReport) -> str:
        return report.usage.customer.name

    @admin.action(description="Send what Stripe refused again", permissions=("requeue",))
    def requeue(self, request: HttpRequest, queryset: QuerySet[UsageReport]) -> None:
        for report in queryset:
            services.requeue_report(usage_id=report.pk, at=timezone.now())
        self.message_user(request, "Queued: the sweep sends them within a minute.", messages.SUCCESS)


@admin.register(InboxEvent)
class InboxEventAdmin(ReadOnlyAdmin):
    list_display = ("event_type", "event_id", "received_at", "processed_at", "attempts", "last_error")
    list_filter = ("event_type", ("processed_at", admin.EmptyFieldListFilter), "received_at")
    search_fields = ("event_id", "event_type", "last_error")
    date_hierarchy = "received_at"
    actions = ("replay",)
    deferred = ("payload",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_inboxevent")

    @admin.action(description="Process again", permissions=("replay",))
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        for event in queryset:
            services.replay_webhook(event_id=event.pk, at=timezone.now())
        self.message_user(request, "Queued.", messages.SUCCESS)


def guard_stripe_mirror() -> None:
    """dj-stripe's own pages mirror Stripe: they are looked at here, and changed there."""
    for model, model_admin in list(admin.site._registry.items()):
        if model._meta.app_label == "djstripe":
            name = f"ReadOnly{type(model_admin).__name__}"
            admin.site.unregister(model)
            admin.site.register(
                model, type(name, (ReadOnly, type(model_admin)), {"get_actions": _no_actions})
            )


def _no_actions(self: object, request: HttpRequest) -> dict[str, object]:
    return {}


guard_stripe_mirror()
