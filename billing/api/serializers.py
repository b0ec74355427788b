"""Shapes of the billing API."""

from typing import Any

from rest_framework import serializers

from phases.api.serializers import LARGEST_ISSUE, RepositoryField, require
from rsolv.api.fields import StrictIntegerField


class EntitlementSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="plan.key", help_text="trial, payg or teams")
    subscriptionStatus = serializers.CharField(source="status")
    canUseService = serializers.BooleanField(source="can_use_service")
    blockedReason = serializers.CharField(source="blocked_reason", required=False)
    used = serializers.IntegerField(help_text="Fixes of the trial, or of the current period.")
    included = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True, help_text="null: without a bound")
    unitPriceCents = serializers.IntegerField(
        source="unit_price_cents", help_text="US cents a fix beyond `included`"
    )
    currentPeriodEnd = serializers.DateTimeField(source="period_end", allow_null=True)
    spendCapCents = serializers.IntegerField(
        source="spend_cap_cents", required=False, help_text="The customer's own bound for a period, US cents"
    )
    upgradeUrl = serializers.URLField(source="upgrade_url")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        absent = {name for name in ("blockedReason", "spendCapCents") if shown[name] is None}
        return {name: value for name, value in shown.items() if name not in absent}


class ClaimFixSerializer(serializers.Serializer[Any]):
    repo = RepositoryField(max_length=201, help_text="owner/name")
    issueNumber = StrictIntegerField(min_value=1, max_value=LARGEST_ISSUE, help_text="Also as issue_number.")

    def to_internal_value(self, data: Any) -> Any:
        data = dict(data)
        if data.get("issueNumber") is None and "issue_number" in data:
            data["issueNumber"] = data["issue_number"]
        require(data, "repo", "issueNumber")
        return super().to_internal_value(data)


class ClaimSerializer(serializers.Serializer[Any]):
    granted = serializers.BooleanField(default=True)
    expiresAt = serializers.DateTimeField(source="expires_at")
