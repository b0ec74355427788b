"""What people fill in on billing's pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import BillingAccount
from billing.plans import PLANS, Plan

LARGEST_CAP_DOLLARS = 1_000_000


class PlanForm(forms.Form):
    """One of the plans that are paid for."""

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
    """A change that was looked at: the plan and the preview's token."""

    plan = forms.ChoiceField(choices=[(plan.key, plan.name) for plan in PLANS.values() if plan.is_metered])
    token = forms.CharField(max_length=2000)

    @property
    def chosen(self) -> Plan:
        return PLANS[self.cleaned_data["plan"]]


class CancelForm(forms.Form):
    """When a plan is to end."""

    when = forms.ChoiceField(choices=[("end", _("At the end of the period")), ("now", _("Now"))])


class CapForm(forms.Form):
    """A bound for a period's cost, in whole US dollars."""

    dollars = forms.IntegerField(
        label=_("Cap for each period, in US dollars"),
        min_value=1,
        max_value=LARGEST_CAP_DOLLARS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": "1"}),
        help_text=_("Whole dollars. The monthly price counts too; tax does not."),
    )

    def __init__(self, data: Any = None, *, account: BillingAccount) -> None:
        super().__init__(data)
        if account.spend_cap_cents:
            self.initial["dollars"] = account.spend_cap_cents // 100

    @property
    def cents(self) -> int:
        return int(self.cleaned_data["dollars"]) * 100
