"""Shapes of the test-integration API. What the values may be is the engine's to say."""

from typing import Any

from rest_framework import serializers

from phases.test_integration.manifests import MOST_FILES
from phases.test_integration.ranking import MOST_CANDIDATES
from phases.test_integration.red_tests import MOST_TESTS
from rsolv.api.fields import ExactCharField, ObjectField, StrictCharField, TextListField


class AnalyzeSerializer(serializers.Serializer[Any]):
    vulnerableFile = StrictCharField()
    candidateTestFiles = TextListField(max_length=MOST_CANDIDATES)
    framework = StrictCharField()
    vulnerabilityType = StrictCharField(required=False, allow_null=True, allow_blank=True)


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
    testName = ExactCharField()
    testCode = ExactCharField(help_text="A test's body, or a whole test or block.")
    attackVector = ExactCharField()
    expectedBehavior = ExactCharField(required=False, allow_null=True)
    vulnerableCodePath = ExactCharField(required=False, allow_null=True)
    vulnerablePattern = ExactCharField(required=False, allow_null=True)


class TestSuiteSerializer(serializers.Serializer[Any]):
    redTests = RedTestSerializer(many=True, allow_empty=False, max_length=MOST_TESTS)  # type: ignore[call-arg]


class GenerateSerializer(serializers.Serializer[Any]):
    targetFileContent = ExactCharField(help_text="Empty for a new file.")
    testSuite = TestSuiteSerializer()
    framework = StrictCharField()
    language = StrictCharField()
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
    vulnerableFile = StrictCharField()
    type = StrictCharField()
    framework = StrictCharField()


class NamedSerializer(serializers.Serializer[Any]):
    testFileName = serializers.CharField()
    testPath = serializers.CharField()


class DetectSerializer(serializers.Serializer[Any]):
    packageJson = ObjectField(required=False, allow_null=True)
    gemfile = ExactCharField(required=False, allow_null=True)
    requirementsTxt = ExactCharField(required=False, allow_null=True)
    pyprojectToml = ExactCharField(required=False, allow_null=True)
    pomXml = ExactCharField(required=False, allow_null=True)
    composerJson = serializers.JSONField(required=False, allow_null=True, help_text="An object, or its text.")
    mixExs = ExactCharField(required=False, allow_null=True)
    goMod = ExactCharField(required=False, allow_null=True)
    configFiles = TextListField(required=False, allow_null=True, max_length=MOST_FILES)


class DetectedSerializer(serializers.Serializer[Any]):
    framework = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    testDir = serializers.CharField()
    compatibleWith = serializers.ListField(child=serializers.CharField())
