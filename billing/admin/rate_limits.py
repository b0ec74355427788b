"""Rate limits of customers and plans in the admin."""

from django import forms
from django.contrib import admin

from billing.plans import PLANS
from core.admin.pages import StaffAdmin
from customers.models import RateLimit


class RateLimitForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
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
    """A customer's own limit takes precedence over its plan's, and that over the default."""

    form = RateLimitForm
    list_display = ("__str__", "requests_per_minute", "test_integration_per_minute")
    list_filter = ("plan",)
    list_select_related = ("customer",)
    search_fields = ("plan", "customer__name", "customer__email")
    autocomplete_fields = ("customer",)
