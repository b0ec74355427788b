"""`GET /api/health`: the current state of each service. `/live` and `/ready`: probes for a supervisor."""

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.views import ApiRequest, ApiView
from core.errors import DomainError
from core.health import HEALTH_CHECKS, check_services

log = structlog.get_logger(__name__)

STATES = ["healthy", "unhealthy"]
HEALTH = inline_serializer(
    "Health",
    {
        "status": serializers.ChoiceField(["healthy", "degraded"]),
        "services": inline_serializer(
            "Services", dict.fromkeys(HEALTH_CHECKS, serializers.ChoiceField(STATES))
        ),
    },
)


class HealthView(ApiView):
    """Report the state of each service. Needs no key, but an invalid key is rejected. Not rate limited."""

    permission_classes = ()
    throttle_classes = ()
    answers_with_limits = True

    @extend_schema(
        operation_id="health",
        responses={
            200: HEALTH,
            503: OpenApiResponse(HEALTH, "The database is unavailable, or the key could not be looked up:"),
        },
        auth=[],
    )
    def get(self, request: ApiRequest) -> Response:
        services = check_services()
        status = "healthy" if set(services.values()) == {"healthy"} else "degraded"
        is_down = services["database"] != "healthy"
        return Response({"status": status, "services": services}, status=503 if is_down else 200)


class NotReady(DomainError):
    code, status = "SERVICE_UNAVAILABLE", 503


class ProbeView(APIView):
    """Base of the probes that a supervisor calls every few seconds: no key, no limit, minimal work."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class LiveView(ProbeView):
    @extend_schema(
        operation_id="isAlive",
        summary="Whether this process answers. Calls no other service.",
        responses=inline_serializer("Alive", {"status": serializers.ChoiceField(["alive"])}),
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


class ReadyView(ProbeView):
    @extend_schema(
        operation_id="isReady",
        summary="Whether requests can be answered: the database is available and every migration is applied",
        responses=inline_serializer("Ready", {"status": serializers.ChoiceField(["ready"])}),
    )
    def get(self, request: Request) -> Response:
        check_readiness()
        return Response({"status": "ready"})


class _Migrations:
    """Checks that every migration is applied. After the first success, the process does not check again."""

    are_applied = False

    @classmethod
    def check(cls) -> None:
        if not cls.are_applied:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise NotReady("The database has unapplied migrations. Run manage.py migrate.")
            cls.are_applied = True


def check_readiness() -> None:
    """Raise NotReady unless the database answers and every migration is applied. Makes one small query."""
    try:
        HEALTH_CHECKS["database"]()
        _Migrations.check()
    except DatabaseError as error:
        log.warning("not_ready", error=type(error).__name__)
        raise NotReady("The database is unavailable.") from error
