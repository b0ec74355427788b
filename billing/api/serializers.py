"""Shapes of the billing API."""

from typing import Any

from rest_framework import serializers


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
    upgradeUrl = serializers.URLField(source="upgrade_url")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name != "blockedReason" or value}
