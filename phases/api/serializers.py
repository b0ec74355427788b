"""Request and response shapes of the phases API."""

import re
from typing import Any

from rest_framework import serializers

from core.api.fields import NOT_BLANK, ObjectField, StrictCharField, StrictChoiceField, StrictIntegerField
from core.errors import DomainError
from phases.models import PhaseExecution

REPOSITORY = re.compile(r"(?P<namespace>[A-Za-z0-9_.-]{1,100})/(?P<name>[A-Za-z0-9_.-]{1,100})\Z", re.ASCII)
# The same as an OpenAPI pattern: neither part is `.` or `..`.
OPENAPI_REPOSITORY = r"^(?!\.{1,2}/)[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}$"
LARGEST_ISSUE = 2**63 - 1


class MissingParameters(DomainError):
    code, status = "MISSING_PARAMETERS", 400


class RepositoryField(StrictCharField):
    """A repository as `owner/name`; its value is the pair (namespace, name)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(openapi={"pattern": OPENAPI_REPOSITORY, "example": "acme/shop"}, **options)

    def to_internal_value(self, data: Any) -> Any:
        match = REPOSITORY.match(super().to_internal_value(data))
        if match is None or match["name"] in (".", "..") or match["namespace"] in (".", ".."):
            raise serializers.ValidationError("Write the repository as owner/name.")
        return match["namespace"], match["name"]


def require(data: Any, *names: str) -> None:
    """Raise MissingParameters unless every name has a value; null and "" are missing."""
    missing = [name for name in names if data.get(name) in (None, "")]
    if missing:
        raise MissingParameters(
            f"Missing: {', '.join(missing)}.", fields=dict.fromkeys(missing, "This field is required.")
        )


def read_spelling(shape: serializers.Serializer[Any], data: dict[str, Any], name: str, other: str) -> None:
    """Copy a field from its other spelling where the first is missing. Raises ValidationError.

    If both are sent, the first is used, but the other is validated too.
    """
    if data.get(other) is None:
        return
    if data.get(name) is None:
        data[name] = data[other]
        return
    try:
        shape.fields[name].run_validation(data[other])
    except serializers.ValidationError as error:
        raise serializers.ValidationError({other: error.detail}) from error


def describe_spellings(*requirements: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI `anyOf` of the alternative sets of required fields."""
    return {"anyOf": [{"type": "object"} | each for each in requirements]}


COMMITS = {"commitSha": {"type": "string"}, "commit_sha": {"type": "string"}}
NUMBER = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
ISSUES = {"issueNumber": NUMBER, "issue_number": NUMBER}
SCANS = [
    {"required": [commit], "properties": {"phase": {"enum": ["scan"]}, commit: COMMITS[commit]}}
    for commit in COMMITS
]
OTHERS = [
    {"required": [commit, issue], "properties": {commit: COMMITS[commit], issue: ISSUES[issue]}}
    for commit in COMMITS
    for issue in ISSUES
]


class StorePhaseSerializer(serializers.Serializer[Any]):
    openapi = describe_spellings(*SCANS, *OTHERS)
    openapi_spellings = {"commit_sha": "commitSha", "issue_number": "issueNumber"}

    phase = StrictChoiceField(
        choices=PhaseExecution.Phase.choices,
        error_messages={
            "invalid_choice": f"Unknown phase {{input}}. Known: {', '.join(PhaseExecution.Phase.values)}."
        },
    )
    repo = RepositoryField(max_length=201, help_text="owner/name")
    commitSha = StrictCharField(
        max_length=255, help_text="Also as commit_sha.", required=False, allow_null=True
    )
    issueNumber = StrictIntegerField(
        min_value=1,
        max_value=LARGEST_ISSUE,
        required=False,
        allow_null=True,
        help_text="Not needed for a scan.",
    )
    branch = StrictCharField(max_length=255, required=False, allow_null=True, allow_blank=True)
    # The base class has a property of this name; declared fields never become attributes.
    data = ObjectField(help_text="Given back exactly as sent, NUL escapes too.")  # type: ignore[assignment]

    def to_internal_value(self, data: Any) -> Any:
        data = dict(data)
        self._check_phase(data.get("phase"))
        for name, other in (("commitSha", "commit_sha"), ("issueNumber", "issue_number")):
            read_spelling(self, data, name, other)
        names = ["phase", "repo", "commitSha", "data"]
        require(data, *names, *(["issueNumber"] if data.get("phase") != PhaseExecution.Phase.SCAN else []))
        return super().to_internal_value(data)

    def _check_phase(self, phase: Any) -> None:
        """Validate the phase first, because the required fields depend on it."""
        if phase in (None, ""):
            return
        try:
            self.fields["phase"].run_validation(phase)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"phase": error.detail}) from error


class StoredPhaseSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=True)
    id = serializers.UUIDField()
    phase = serializers.ChoiceField(choices=PhaseExecution.Phase.choices)


REPO_PARAMETER = {"type": "string", "maxLength": 201, "pattern": OPENAPI_REPOSITORY}
ISSUE_PARAMETER = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ISSUE}
COMMIT_PARAMETER = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": NOT_BLANK}


class RetrievePhasesSerializer(serializers.Serializer[Any]):
    repo = RepositoryField(max_length=201, help_text="owner/name")
    issue = StrictIntegerField(min_value=1, max_value=LARGEST_ISSUE)
    commit = StrictCharField(max_length=255)

    def to_internal_value(self, data: Any) -> Any:
        require(data, "repo", "issue", "commit")
        return super().to_internal_value(data)


class RetrievedPhasesSerializer(serializers.Serializer[Any]):
    """For the OpenAPI document only: the view joins stored texts without a serializer."""

    scan = serializers.DictField(required=False)
    validation = serializers.DictField(required=False, help_text="{issue-<n>: data}")
    mitigation = serializers.DictField(required=False, help_text="{issue-<n>: data}")
