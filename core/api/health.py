"""`GET /api/health`: each service as it was really found."""

import time
from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import stripe_gateway
from core.api.views import ApiRequest, ApiView
from core.errors import DomainError
from core.queue.enqueue import connect_broker
from core.redis.client import find_link

log = structlog.get_logger(__name__)

# Stripe is not asked more often than this, however often we are.
STRIPE_FRESH_SECONDS = 15


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_cache() -> None:
    """Redis itself first: the cache answers also while it does not."""
    if (link := find_link()) is not None:
        link.ask(lambda redis: redis.ping(), insist=True)
    cache.set("health", "ok", 10)
    if cache.get("health") != "ok":
        raise RuntimeError("the cache forgot")


def _check_queue() -> None:
    with connect_broker() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)


class _Stripe:
    """What Stripe last answered, kept in the process: the cache may be what is away."""

    asked_at = float("-inf")
    failure: Exception | None = None

    @classmethod
    def check(cls) -> None:
        if time.monotonic() - cls.asked_at > STRIPE_FRESH_SECONDS:
            try:
                stripe_gateway.check_connection()
                cls.failure = None
            except Exception as error:
                cls.failure = error
            cls.asked_at = time.monotonic()
        if cls.failure is not None:
            raise cls.failure


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "cache": _check_cache,
    "queue": _check_queue,
    "stripe": _Stripe.check,
}


def check_services() -> dict[str, str]:
    """`healthy` or `unhealthy` by service. Calls each of them, for some three seconds at the most."""
    found = {}
    for name, check in CHECKS.items():
        try:
            check()
            found[name] = "healthy"
        except Exception as error:
            log.warning("service_unhealthy", service=name, error=type(error).__name__)
            found[name] = "unhealthy"
    return found


STATES = ["healthy", "unhealthy"]
HEALTH = inline_serializer(
    "Health",
    {
        "status": serializers.ChoiceField(["healthy", "degraded"]),
        "services": inline_serializer("Services", {name: serializers.ChoiceField(STATES) for name in CHECKS}),
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
        CHECKS["database"]()
        _Migrations.check()
    except DatabaseError as error:
        log.warning("not_ready", error=type(error).__name__)
        raise NotReady("The database is away.") from error
