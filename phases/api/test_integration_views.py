"""`test-integration/*` and `framework/detect`: the engine over HTTP. No part of a file is stored."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from core.api.errors import describe_fields
from core.api.fields import Shape, read
from core.api.middleware import get_request_id
from core.api.views import ApiRequest, ApiView
from core.errors import DomainError
from customers.principals import ApiPrincipal
from phases import engine_pool
from phases.api import test_integration_serializers as shapes
from phases.metrics import ANALYZE_SECONDS, ANALYZED, GENERATE_SECONDS, GENERATED, measure
from phases.test_integration import services as engine

T = TypeVar("T")

# Bytes. The most expensive body of this size that we found takes 30 ms of CPU time: docs/decisions/019.
# `generate` has no entry: a parser can take a second for 1 kB.
SMALL_BODIES: dict[Callable[..., Any], int] = {
    engine.detect_framework: 4 * 1024,
    engine.analyze: 16 * 1024,
    engine.name_test_file: 16 * 1024,
}


class InvalidFields(DomainError):
    """Fields of the request to name a test file are missing or malformed."""

    code, status = "VALIDATION_ERROR", 422


def read_given(shape: Shape, request: ApiRequest) -> dict[str, Any]:
    """Return the validated fields without those that are null, which counts as missing."""
    return {name: value for name, value in read(shape, request.data).items() if value is not None}


def run_engine(function: Callable[..., T], request: ApiRequest, **values: Any) -> T:
    """Run an engine function in the pool and return its result.

    All callers without a key share the quota of one caller.
    """
    caller = str(request.auth.customer_id) if isinstance(request.auth, ApiPrincipal) else ""
    is_small = len(request.raw_body) <= SMALL_BODIES.get(function, -1)
    return engine_pool.run(partial(function, **values), caller=caller, is_small=is_small)


class AnalyzeView(ApiView):
    rate_scope = "test-integration"

    @extend_schema(
        operation_id="analyzeTestFiles",
        summary="Which test file should take the new test",
        request=shapes.AnalyzeSerializer,
        responses=shapes.AnalysisSerializer,
    )
    def post(self, request: ApiRequest) -> Response:
        with measure(ANALYZED, ANALYZE_SECONDS, request.data):
            sent = read_given(shapes.AnalyzeSerializer, request)
            analysis = run_engine(
                engine.analyze,
                request,
                vulnerable_file=sent["vulnerableFile"],
                candidate_test_files=sent["candidateTestFiles"],
                framework=sent["framework"],
                vulnerability_type=sent.get("vulnerabilityType"),
            )
        ranked = [
            {"path": each.path, "score": each.score, "reason": each.reason}
            for each in analysis.recommendations
        ]
        fallback = {"path": analysis.fallback.path, "reason": analysis.fallback.reason}
        return Response({"recommendations": ranked, "fallback": fallback})


class GenerateView(ApiView):
    rate_scope = "test-integration"

    @extend_schema(
        operation_id="generateTestFile",
        summary="The test file with the new tests in it",
        request=shapes.GenerateSerializer,
        responses=shapes.GeneratedSerializer,
    )
    def post(self, request: ApiRequest) -> Response:
        started = time.perf_counter()
        with measure(GENERATED, GENERATE_SECONDS, request.data) as run:
            sent = read_given(shapes.GenerateSerializer, request)
            made = run_engine(
                engine.generate,
                request,
                target_file_content=sent["targetFileContent"],
                red_tests=sent["testSuite"]["redTests"],
                framework=sent["framework"],
                language=sent["language"],
            )
            run.method = made.method
            run.lines = made.content.count("\n") - sent["targetFileContent"].count("\n")
        point = made.point
        return Response(
            {
                "requestId": sent.get("requestId") or get_request_id(request._request),
                "integratedContent": made.content,
                "method": made.method,
                "insertionPoint": point
                and {"line": point.line, "strategy": point.strategy, "parent": point.parent or None},
                "timing": {"totalTimeMs": round((time.perf_counter() - started) * 1000, 3)},
                "warnings": [_show_warning(warning) for warning in made.warnings],
            }
        )


def _show_warning(warning: Any) -> dict[str, Any]:
    shown = {"code": warning.code, "message": warning.message}
    return shown if warning.line is None else shown | {"line": warning.line}


class NamingView(ApiView):
    rate_scope = "test-integration"

    @extend_schema(
        operation_id="nameTestFile",
        summary="What a new test file is called, and where it goes",
        request=shapes.NamingSerializer,
        responses=shapes.NamedSerializer,
    )
    def post(self, request: ApiRequest) -> Response:
        try:
            sent = read_given(shapes.NamingSerializer, request)
        except ValidationError as error:
            message, fields = describe_fields(error.detail)
            raise InvalidFields(message, fields=fields) from error
        named = run_engine(
            engine.name_test_file,
            request,
            vulnerable_file=sent["vulnerableFile"],
            vulnerability_type=sent["type"],
            framework=sent["framework"],
        )
        return Response({"testFileName": named.file_name, "testPath": named.path})


class DetectFrameworkView(ApiView):
    """No API key is required, but one that is sent must be valid."""

    permission_classes = ()

    @extend_schema(
        operation_id="detectFramework",
        summary="The test framework of a project, from its manifests",
        request=shapes.DetectSerializer,
        responses=shapes.DetectedSerializer,
        auth=[],
    )
    def post(self, request: ApiRequest) -> Response:
        manifests = read_given(shapes.DetectSerializer, request)
        found = run_engine(engine.detect_framework, request, manifests=manifests)
        return Response(
            {
                "framework": found.framework,
                "version": found.version,
                "testDir": found.test_dir,
                "compatibleWith": list(found.compatible_with),
            }
        )
