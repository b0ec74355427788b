"""Shapes of the phases API."""

import re
from typing import Any

from rest_framework import serializers

from phases.models import PhaseExecution
from rsolv.api.fields import ObjectField, StrictCharField, StrictChoiceField, StrictIntegerField
from rsolv.errors import DomainError

REPOSITORY = re.compile(r"(?P<namespace>[A-Za-z0-9_.-]{1,100})/(?P<name>[A-Za-z0-9_.-]{1,100})\Z", re.ASCII)
LARGEST_ISSUE = 2**63 - 1


class MissingParameters(DomainError):
    code, status = "MISSING_PARAMETERS", 400


class RepositoryField(StrictCharField):
    """`owner/name`, read as the pair of both."""

    def to_internal_value(self, data: Any) -> Any:
        match = REPOSITORY.match(super().to_internal_value(data))
        if match is None or match["name"] in (".", "..") or match["namespace"] in (".", ".."):
            raise serializers.ValidationError("Write the repository as owner/name.")
        return match["namespace"], match["name"]


def require(data: Any, *names: str) -> None:
    """Raise MissingParameters unless every name is there with a value."""
    missing = [name for name in names if data.get(name) in (None, "")]
    if missing:
        raise MissingParameters(
            f"Missing: {', '.join(missing)}.", fields=dict.fromkeys(missing, "This field is required.")
        )


class StorePhaseSerializer(serializers.Serializer[Any]):
    phase = StrictChoiceField(choices=PhaseExecution.Phase.choices)
    repo = RepositoryField(max_length=201, help_text="owner/name")
    commitSha = StrictCharField(max_length=255, help_text="Also as commit_sha.")
    issueNumber = StrictIntegerField(
        min_value=1,
        max_value=LARGEST_ISSUE,
        required=False,
        allow_null=True,
        help_text="Not needed for a scan.",
    )
    branch = StrictCharField(max_length=255, required=False, allow_null=True, allow_blank=True)
    # The base class has a property of this name; declared fields never become attributes.
    data = ObjectField(help_text="Given back exactly as sent.")  # type: ignore[assignment]

    def to_internal_value(self, data: Any) -> Any:
        data = dict(data)
        for name, other in (("commitSha", "commit_sha"), ("issueNumber", "issue_number")):
            if data.get(name) is None and other in data:
                data[name] = data[other]
        names = ["phase", "repo", "commitSha", "data"]
        require(data, *names, *(["issueNumber"] if data.get("phase") != PhaseExecution.Phase.SCAN else []))
        return super().to_internal_value(data)


class StoredPhaseSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=True)
    id = serializers.UUIDField()
    phase = serializers.ChoiceField(choices=PhaseExecution.Phase.choices)


class RetrievePhasesSerializer(serializers.Serializer[Any]):
    repo = RepositoryField(max_length=201, help_text="owner/name")
    issue = StrictIntegerField(min_value=1, max_value=LARGEST_ISSUE)
    commit = StrictCharField(max_length=255)

    def to_internal_value(self, data: Any) -> Any:
        require(data, "repo", "issue", "commit")
        return super().to_internal_value(data)


class RetrievedPhasesSerializer(serializers.Serializer[Any]):
    """For the API's description: the answer is put together from stored text."""

    scan = serializers.DictField(required=False)
    validation = serializers.DictField(required=False, help_text="{issue-<n>: data}")
    mitigation = serializers.DictField(required=False, help_text="{issue-<n>: data}")
