"""Billing accounts, subscription requests and claims in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldBooleanSwitchWidget

from billing.models import BillingAccount, SubscriptionRequest, UsageClaim
from billing.services.metering.pause_customer import pause_customer, resume_customer
from billing.services.metering.set_trial_limit import set_trial_limit
from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from core.outbox.admin import OutboxFilter, RetryMixin
from customers.models import AuditLogEntry, User
from customers.services.record_audit_log_entry import record_audit_log_entry


class BillingAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    is_paused = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Fixes are recorded, but nothing is sent to Stripe while this is on.",
    )

    class Meta:
        model = BillingAccount
        fields = ("trial_fixes_limit", "paused_reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_paused"].initial = self.instance.paused_at is not None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_paused") and not (cleaned.get("paused_reason") or "").strip():
            self.add_error("paused_reason", "Give a reason for the pause.")
        return cleaned


@admin.register(BillingAccount)
class BillingAccountAdmin(StaffAdmin):
    """Accounts. Plan and status come from Stripe; staff can change the trial's limit and the pause."""

    form = BillingAccountForm
    list_display = (
        "customer",
        "plan",
        "status",
        "current_period_end",
        "paused_at",
        "stripe_customer_id",
        "updated_at",
    )
    list_filter = ("plan", "status", ("paused_at", admin.EmptyFieldListFilter))
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "stripe_customer__id", "subscription__id")
    fields = (
        "customer",
        "plan",
        "status",
        "trial_fixes_limit",
        "spend_cap_cents",
        "is_paused",
        "paused_reason",
        "paused_at",
        "stripe_customer_id",
        "subscription_id",
        "plan_chosen_at",
        "current_period_start",
        "current_period_end",
        "cancel_at",
        "past_due_since",
        "updated_at",
    )
    readonly_fields = tuple(
        name for name in fields if name not in ("trial_fixes_limit", "is_paused", "paused_reason")
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BillingAccount | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: BillingAccount | None = None) -> list[str]:
        """Hide the pause switch from staff without the change permission."""
        may_change = self.has_change_permission(request, obj)
        return [name for name in self.fields if may_change or name != "is_paused"]

    def save_model(self, request: HttpRequest, obj: BillingAccount, form: Any, change: bool) -> None:
        at = timezone.now()
        assert isinstance(request.user, User)
        # Services save instead of super(): the form's copy of the
        # row would overwrite what a webhook has changed since.
        if "trial_fixes_limit" in form.changed_data:
            set_trial_limit(customer=obj.customer, fixes=obj.trial_fixes_limit, by=request.user, at=at)
        reason = form.cleaned_data["paused_reason"]
        if form.cleaned_data["is_paused"]:
            # Also if only the reason has changed: the time of the first pause is kept.
            pause_customer(customer=obj.customer, reason=reason, at=at)
            if "is_paused" in form.changed_data:
                _record(request, obj, "paused reporting to Stripe")
        elif "is_paused" in form.changed_data:
            resume_customer(customer=obj.customer, reason=reason, at=at)
            _record(request, obj, "resumed reporting to Stripe")


def _record(request: HttpRequest, account: BillingAccount, subject: str) -> None:
    """Record an action of staff in the customer's audit log, without the reason, which only staff may see."""
    assert isinstance(request.user, User)
    action, at = AuditLogEntry.Action.STAFF_ACTED, timezone.now()
    record_audit_log_entry(
        customer=account.customer, action=action, actor=request.user, subject=subject, at=at
    )


@admin.register(SubscriptionRequest)
class SubscriptionRequestAdmin(RetryMixin, ReadOnlyAdmin):
    """Chosen plans, and whether Stripe has created their subscription."""

    list_display = ("account", "status", "requested_at", "attempts", "next_attempt_at", "last_error")
    list_filter = (OutboxFilter, "status", "requested_at")
    list_select_related = ("account__customer",)
    search_fields = ("account__customer__name", "account__customer__email", "last_error")
    actions = ("retry_now",)


@admin.register(UsageClaim)
class UsageClaimAdmin(ReadOnlyAdmin):
    list_display = ("customer", "repository", "issue_number", "created_at", "expires_at", "used_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter), "expires_at")
    list_select_related = ("customer", "repository__forge_account")
    search_fields = ("customer__name", "customer__email", "repository__name", "=issue_number")
