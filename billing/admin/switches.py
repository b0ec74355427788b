"""What staff turn off and on while the product runs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.models import BillingSwitch
from billing.services.turn_switch import turn_switch
from core.admin.pages import StaffAdmin
from customers.models import User


class BillingSwitchForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextInputWidget(), help_text="What others read who wonder."
    )

    class Meta:
        model = BillingSwitch
        fields = ("name", "is_on", "reason")


@admin.register(BillingSwitch)
class BillingSwitchAdmin(StaffAdmin):
    """A switch that is not listed is on: add it to turn it off."""

    form = BillingSwitchForm
    list_display = ("name", "is_on", "reason", "changed_by", "changed_at")
    list_select_related = ("changed_by",)
    search_fields = ("name", "reason")
    readonly_fields = ("changed_by", "changed_at")
    fields = ("name", "is_on", "reason", *readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: BillingSwitch | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("name", *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: BillingSwitch | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: BillingSwitch, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        turn_switch(
            name=BillingSwitch.Name(obj.name),
            is_on=obj.is_on,
            reason=obj.reason,
            changed_by=request.user,
            at=timezone.now(),
        )
