"""Feature flags in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.models import FeatureFlag
from billing.services.set_feature_flag import set_feature_flag
from core.admin.pages import StaffAdmin
from customers.models import User


class FeatureFlagForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextInputWidget(), help_text="Shown to other staff."
    )

    class Meta:
        model = FeatureFlag
        fields = ("name", "is_on", "reason")


@admin.register(FeatureFlag)
class FeatureFlagAdmin(StaffAdmin):
    """A flag that is not listed is on. Add it to turn it off."""

    form = FeatureFlagForm
    list_display = ("name", "is_on", "reason", "changed_by", "changed_at")
    list_select_related = ("changed_by",)
    search_fields = ("name", "reason")
    readonly_fields = ("changed_by", "changed_at")
    fields = ("name", "is_on", "reason", *readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: FeatureFlag | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("name", *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: FeatureFlag | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: FeatureFlag, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        set_feature_flag(
            name=FeatureFlag.Name(obj.name),
            is_on=obj.is_on,
            reason=obj.reason,
            changed_by=request.user,
            at=timezone.now(),
        )
