"""Our own description of the API, held against what the API does."""

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
OPERATIONS = [operation.ok() for operation in SCHEMA.get_all_operations()]


@pytest.fixture(autouse=True)
def kept_connection():
    """Requests past Django's test client must not close the connection that holds the test's transaction."""
    watched = (signals.request_started, signals.request_finished)
    for signal in watched:
        signal.disconnect(close_old_connections)
    yield
    for signal in watched:
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.API_REQUESTS_PER_MINUTE = settings.API_TEST_INTEGRATION_PER_MINUTE = 1_000_000


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_sent_is_answered_as_described(operation, alice, stripe_sandbox):
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case):
        response = case.call(app=get_wsgi_application(), headers={"X-API-Key": alice.key})
        case.validate_response(response, checks=CHECKS)

    ask()


@pytest.mark.django_db
class TestPages:
    def test_the_description_needs_no_key(self):
        assert Client().get("/api/openapi").status_code == 200

    def test_a_person_can_read_it(self):
        response = Client().get("/api/docs")
        assert response.status_code == 200
        assert b"cdn" not in response.content
