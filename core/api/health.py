"""`GET /api/health`: each service as it was really found."""

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
    """No key is needed; one that is sent must be valid. Those who watch over us are not limited."""

    permission_classes = ()
    throttle_classes = ()
    answers_with_limits = True

    @extend_schema(
        operation_id="health",
        responses={
            200: HEALTH,
            503: OpenApiResponse(HEALTH, "The database is down, or the key could not be looked up:"),
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
    """What a supervisor asks every few seconds: no key, no limit, and nothing else that costs."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class LiveView(ProbeView):
    @extend_schema(
        operation_id="isAlive",
        summary="Whether this process answers; it asks nobody",
        responses=inline_serializer("Alive", {"status": serializers.ChoiceField(["alive"])}),
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


class ReadyView(ProbeView):
    @extend_schema(
        operation_id="isReady",
        summary="Whether requests can be answered: the database is there, and its tables are today's",
        responses=inline_serializer("Ready", {"status": serializers.ChoiceField(["ready"])}),
    )
    def get(self, request: Request) -> Response:
        check_readiness()
        return Response({"status": "ready"})


class _Migrations:
    """Whether the database has all of them. Once it has, this process does not look again."""

    are_applied = False

    @classmethod
    def check(cls) -> None:
        if not cls.are_applied:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise NotReady("The database waits for its migrations: manage.py migrate.")
            cls.are_applied = True


def check_readiness() -> None:
    """Raise NotReady unless the database answers and has every migration. One small query."""
    try:
        HEALTH_CHECKS["database"]()
        _Migrations.check()
    except DatabaseError as error:
        log.warning("not_ready", error=type(error).__name__)
        raise NotReady("The database is away.") from error
