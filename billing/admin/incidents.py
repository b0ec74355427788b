"""Refunds, disputes, reconciliation runs and discrepancies in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import Discrepancy, PaymentIncident, Reconciliation
from billing.services.reconciliation.settle_discrepancy import settle_discrepancy
from core.admin.pages import ReadOnlyAdmin


@admin.register(PaymentIncident)
class PaymentIncidentAdmin(ReadOnlyAdmin):
    list_display = ("stripe_id", "kind", "customer", "amount_cents", "currency", "status", "occurred_at")
    list_filter = ("kind", "status", "occurred_at")
    list_select_related = ("customer",)
    search_fields = ("stripe_id", "charge", "invoice", "customer__name", "customer__email")
    date_hierarchy = "occurred_at"


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "finished_at", "accounts", "unanswered")
    list_filter = (("finished_at", admin.EmptyFieldListFilter),)
    search_fields = ("=id",)


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    list_display = (
        "customer",
        "kind",
        "state",
        "period_start",
        "ledger",
        "stripe",
        "portal",
        "detail",
        "found_at",
    )
    list_filter = ("state", "kind", "found_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "detail")
    actions = ("settle",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_discrepancy")

    @admin.action(description="Mark as settled", permissions=("settle",))
    def settle(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> None:
        for discrepancy in queryset:
            settle_discrepancy(discrepancy_id=discrepancy.pk, at=timezone.now())
        self.message_user(request, "Settled. The next run records any that still exist.", messages.SUCCESS)
