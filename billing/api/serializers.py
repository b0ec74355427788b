"""Serializers of the billing API."""

from typing import Any

from rest_framework import serializers

from billing.models import BillingAccount
from core.api.fields import StrictIntegerField
from phases.api.serializers import (
    ISSUES,
    LARGEST_ISSUE,
    RepositoryField,
    describe_spellings,
    read_spelling,
    require,
)


class EntitlementSerializer(serializers.Serializer[Any]):
    plan = serializers.ChoiceField(BillingAccount.Plan.values, source="plan.key")
    subscriptionStatus = serializers.ChoiceField(BillingAccount.Status.values, source="status")
    canUseService = serializers.BooleanField(source="can_use_service")
    blockedReason = serializers.CharField(source="blocked_reason", required=False)
    used = serializers.IntegerField(min_value=0, help_text="Fixes used in the trial or the current period.")
    included = serializers.IntegerField(min_value=0)
    remaining = serializers.IntegerField(min_value=0, allow_null=True, help_text="null: unlimited")
    unitPriceCents = serializers.IntegerField(
        source="unit_price_cents", help_text="US cents per fix beyond `included`"
    )
    currentPeriodEnd = serializers.DateTimeField(source="period_end", allow_null=True)
    spendCapCents = serializers.IntegerField(
        source="spend_cap_cents",
        required=False,
        help_text="The customer's limit for each period, in US cents",
    )
    upgradeUrl = serializers.URLField(source="upgrade_url")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        # The schema declares these two as optional, not as nullable.
        absent = {name for name in ("blockedReason", "spendCapCents") if shown[name] is None}
        return {name: value for name, value in shown.items() if name not in absent}


class ClaimFixSerializer(serializers.Serializer[Any]):
    openapi = describe_spellings(
        *({"required": [each], "properties": {each: ISSUES[each]}} for each in ISSUES)
    )
    openapi_spellings = {"issue_number": "issueNumber"}

    repo = RepositoryField(max_length=201, help_text="owner/name")
    issueNumber = StrictIntegerField(
        min_value=1,
        max_value=LARGEST_ISSUE,
        required=False,
        allow_null=True,
        help_text="Also accepted as issue_number.",
    )

    def to_internal_value(self, data: Any) -> Any:
        data = dict(data)
        read_spelling(self, data, "issueNumber", "issue_number")
        require(data, "repo", "issueNumber")
        return super().to_internal_value(data)


class ClaimSerializer(serializers.Serializer[Any]):
    granted = serializers.BooleanField(default=True)
    expiresAt = serializers.DateTimeField(source="expires_at")
