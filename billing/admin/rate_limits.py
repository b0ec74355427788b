from django import forms
from django.contrib import admin

from billing.plans import PLANS
from core.admin.pages import StaffAdmin
from customers.models import RateLimit


class RateLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    plan = forms.TypedChoiceField(
        choices=[("", "-"), *((plan.key, plan.name) for plan in PLANS.values())],
        required=False,
        empty_value=None,
    )

    class Meta:
        model = RateLimit
        fields = ("customer", "plan", "requests_per_minute", "test_integration_per_minute")


@admin.register(RateLimit)
class RateLimitAdmin(StaffAdmin):
    """A customer's own limits go before its plan's, and these before everybody's."""

    form = RateLimitForm
    list_display = ("__str__", "requests_per_minute", "test_integration_per_minute")
    list_filter = ("plan",)
    list_select_related = ("customer",)
    search_fields = ("plan", "customer__name", "customer__email")
    autocomplete_fields = ("customer",)
