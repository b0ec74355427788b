"""Request and response shapes of the test-integration API. The engine validates the values."""

from typing import Any

from rest_framework import serializers

from core.api.fields import NOT_BLANK, ExactCharField, ObjectField, StrictCharField, TextListField
from phases.test_integration.discovery.manifests import MAX_FILES, MAX_MANIFEST_LENGTH, READERS
from phases.test_integration.discovery.ranking import MAX_CANDIDATES
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.read.red_tests import MAX_FIELD_LENGTH, MAX_TEST_CODE_LENGTH, MAX_TESTS
from phases.test_integration.services import MAX_NAME_LENGTH

# The engine ignores the case of both; these are the canonical names.
FRAMEWORK = {"enum": sorted(FRAMEWORKS), "pattern": None, "minLength": None}
NAME = {"maxLength": MAX_NAME_LENGTH}
DATUM = {"maxLength": MAX_FIELD_LENGTH, "allOf": [{"pattern": NOT_BLANK}]}
OPTIONAL_DATUM = {"maxLength": MAX_FIELD_LENGTH}
MANIFEST = {"maxLength": MAX_MANIFEST_LENGTH}
LANGUAGES = sorted({language for each in FRAMEWORKS.values() for language in each.languages})
PAIRS = [
    {
        "type": "object",
        "properties": {"framework": {"enum": [each.name]}, "language": {"enum": sorted(each.languages)}},
    }
    for each in FRAMEWORKS.values()
]


class AnalyzeSerializer(serializers.Serializer[Any]):
    vulnerableFile = StrictCharField(openapi=NAME)
    candidateTestFiles = TextListField(max_length=MAX_CANDIDATES)
    framework = StrictCharField(openapi=FRAMEWORK)
    vulnerabilityType = StrictCharField(required=False, allow_null=True, allow_blank=True, openapi=NAME)


class RecommendationSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    score = serializers.FloatField(min_value=0, max_value=1.5)
    reason = serializers.CharField()


class FallbackSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    reason = serializers.CharField()


class AnalysisSerializer(serializers.Serializer[Any]):
    recommendations = RecommendationSerializer(many=True, help_text="Best first, one for each candidate.")
    fallback = FallbackSerializer(help_text="A new file's path, where no candidate will do.")


class RedTestSerializer(serializers.Serializer[Any]):
    testName = ExactCharField(openapi=DATUM)
    testCode = ExactCharField(
        openapi={"maxLength": MAX_TEST_CODE_LENGTH, "allOf": [{"pattern": NOT_BLANK}]},
        help_text="A test's body, or a whole test or block; valid code in the language.",
    )
    attackVector = ExactCharField(openapi=DATUM)
    expectedBehavior = ExactCharField(required=False, allow_null=True, openapi=OPTIONAL_DATUM)
    vulnerableCodePath = ExactCharField(required=False, allow_null=True, openapi=OPTIONAL_DATUM)
    vulnerablePattern = ExactCharField(required=False, allow_null=True)


class TestSuiteSerializer(serializers.Serializer[Any]):
    redTests = RedTestSerializer(many=True, allow_empty=False, max_length=MAX_TESTS)  # type: ignore[call-arg]


class GenerateSerializer(serializers.Serializer[Any]):
    openapi = {"anyOf": PAIRS}

    targetFileContent = ExactCharField(help_text="Empty for a new file.")
    testSuite = TestSuiteSerializer()
    framework = StrictCharField(openapi=FRAMEWORK)
    language = StrictCharField(openapi={"enum": LANGUAGES, "pattern": None, "minLength": None})
    requestId = StrictCharField(required=False, allow_null=True, allow_blank=True, max_length=200)


class InsertionPointSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(
        min_value=1, help_text="1-based, of the first inserted line in the result."
    )
    strategy = serializers.CharField()
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]


class WarningSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(required=False)


class TimingSerializer(serializers.Serializer[Any]):
    totalTimeMs = serializers.FloatField(min_value=0)


class GeneratedSerializer(serializers.Serializer[Any]):
    requestId = serializers.CharField()
    integratedContent = serializers.CharField()
    method = serializers.ChoiceField(["ast", "append"])
    insertionPoint = InsertionPointSerializer(allow_null=True, help_text="null for append")
    timing = TimingSerializer()
    warnings = WarningSerializer(many=True)


class NamingSerializer(serializers.Serializer[Any]):
    vulnerableFile = StrictCharField(openapi=NAME)
    type = StrictCharField(openapi=NAME)
    framework = StrictCharField(openapi=FRAMEWORK)


class NamedSerializer(serializers.Serializer[Any]):
    testFileName = serializers.CharField()
    testPath = serializers.CharField()


class ObjectOrTextField(serializers.JSONField):
    openapi = {"anyOf": [{"type": "object", "additionalProperties": {}}, {"type": "string"}]}


MANIFESTS = (*READERS, "configFiles")


class DetectSerializer(serializers.Serializer[Any]):
    # At least one of them is required, and not null.
    openapi = {
        "anyOf": [
            {"type": "object", "required": [name], "properties": {name: {"not": {"enum": [None]}}}}
            for name in MANIFESTS
        ]
    }

    packageJson = ObjectField(required=False, allow_null=True)
    gemfile = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    requirementsTxt = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    pyprojectToml = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    pomXml = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    composerJson = ObjectOrTextField(required=False, allow_null=True, help_text="An object, or its text.")
    mixExs = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    goMod = ExactCharField(required=False, allow_null=True, openapi=MANIFEST)
    configFiles = TextListField(required=False, allow_null=True, max_length=MAX_FILES)


class DetectedSerializer(serializers.Serializer[Any]):
    framework = serializers.ChoiceField(sorted(FRAMEWORKS))
    version = serializers.CharField(allow_null=True)
    testDir = serializers.CharField()
    compatibleWith = serializers.ListField(child=serializers.CharField())
