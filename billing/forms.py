"""Forms of the billing pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import BillingAccount
from billing.plans import PLANS, Plan

# The same limit as LARGEST_CAP_CENTS of set_spend_cap.
LARGEST_CAP_DOLLARS = 1_000_000


class PlanForm(forms.Form):
    """The choice of a paid plan."""

    plan = forms.ChoiceField(
        choices=[(plan.key, plan.name) for plan in PLANS.values() if plan.is_metered],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose one of the plans."),
            "invalid_choice": _("Choose one of the plans."),
        },
    )

    @property
    def chosen(self) -> Plan:
        return PLANS[self.cleaned_data["plan"]]


class ChangeForm(forms.Form):
    """The confirmation of a previewed change: the plan and the preview's token."""

    plan = forms.ChoiceField(choices=[(plan.key, plan.name) for plan in PLANS.values() if plan.is_metered])
    token = forms.CharField(max_length=2000)

    @property
    def chosen(self) -> Plan:
        return PLANS[self.cleaned_data["plan"]]


class CancelForm(forms.Form):
    """When to cancel a plan."""

    when = forms.ChoiceField(choices=[("end", _("At the end of the period")), ("now", _("Now"))])


class CapForm(forms.Form):
    """A spend cap for each period, in whole US dollars; `cents` is in US cents."""

    dollars = forms.IntegerField(
        label=_("Cap for each period, in US dollars"),
        min_value=1,
        max_value=LARGEST_CAP_DOLLARS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": "1"}),
        help_text=_("Whole dollars. Includes the monthly price, but not tax."),
    )

    def __init__(self, data: Any = None, *, account: BillingAccount) -> None:
        super().__init__(data)
        if account.spend_cap_cents:
            self.initial["dollars"] = account.spend_cap_cents // 100

    @property
    def cents(self) -> int:
        return int(self.cleaned_data["dollars"]) * 100
