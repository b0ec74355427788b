"""Serializers of the onboarding API."""

from typing import Any

from rest_framework import serializers

from core.api.fields import StrictCharField


class OnboardSerializer(serializers.Serializer[Any]):
    """Only these two fields are read; any other is ignored."""

    name = StrictCharField(max_length=200)
    email = StrictCharField(max_length=1000, openapi={"format": "email", "pattern": None})


class OnboardedCustomerSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.EmailField()
    subscription_type = serializers.ChoiceField(["trial"])
    trial_fixes_limit = serializers.IntegerField(
        min_value=0,
        help_text="For a mailbox without an earlier trial. Otherwise the account gets what is left of it.",
    )
    trial_fixes_used = serializers.IntegerField(min_value=0)


class OnboardedSerializer(serializers.Serializer[Any]):
    customer = OnboardedCustomerSerializer()
    api_key = serializers.RegexField(
        r"^rsolv_[A-Za-z0-9_-]{43}$",
        help_text="Shown once. Rejected until the owner of the address has confirmed the signup.",
    )
