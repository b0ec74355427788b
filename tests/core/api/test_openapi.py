"""The OpenAPI document, checked against the API by schemathesis with all of its checks."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi import checks

from core.api.limiter import Limit
from core.api.throttling import SCOPES
from phases.test_integration.frameworks import FRAMEWORKS
from provisioning import limits
from tests.conftest import ApiClient

# A longer hunt: OPENAPI_EXAMPLES=500 pytest tests/core/api/test_openapi.py
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "15"))
CONFIG = {
    # Neither JSON Schema nor a pattern can say that no text within a free object holds a NUL:
    # tests/core/api/test_errors.py does.
    "generation": {"allow-x00": False},
    "checks": {
        "positive_data_acceptance": {
            # Beside the usual: 402, 422 and 429 depend on the account, on what texts mean and on time.
            "expected-statuses": ["2xx", "401", "402", "403", "404", "409", "422", "429"]
        },
        "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "409", "422"]},
    },
}
# What cannot hold, by operation and check, with the reason.
EXCLUDED: dict[str, tuple[Any, ...]] = {
    # Valid code, TOML and JSON within a text are beyond JSON Schema; those that are not are 400.
    "POST /api/v1/test-integration/generate": (checks.positive_data_acceptance,),
    "POST /api/v1/framework/detect": (checks.positive_data_acceptance,),
}
LONGEST = 1_000


def leave_out_large_bounds(node: Any) -> Any:
    """A copy without bounds past LONGEST: schemathesis would spend minutes on making texts of a megabyte.

    tests/phases/api holds the endpoints to those.
    """
    if isinstance(node, dict):
        return {
            name: leave_out_large_bounds(value)
            for name, value in node.items()
            if not (name in ("maxLength", "maxItems") and isinstance(value, int) and value > LONGEST)
        }
    return [leave_out_large_bounds(each) for each in node] if isinstance(node, list) else node


DOCUMENT = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
SCHEMA = schemathesis.openapi.from_dict(
    leave_out_large_bounds(DOCUMENT), config=SchemathesisConfig.from_dict(CONFIG)
)
SCHEMA.app = get_wsgi_application()  # also for the requests that checks send by themselves
OPERATIONS = [
    f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in sorted(methods)
]


SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES < 100, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """Requests past Django's test client must not close the connection that holds the test's transaction."""
    watched = (signals.request_started, signals.request_finished)
    for signal in watched:
        signal.disconnect(close_old_connections)
    yield
    for signal in watched:
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def no_limits(settings: Any, monkeypatch: Any) -> None:
    of_scopes = (scope.setting for scope in SCOPES.values())
    for name in ("API_REQUESTS_PER_MINUTE", "API_BAD_KEYS_PER_MINUTE", *of_scopes):
        setattr(settings, name, 1_000_000)
    monkeypatch.setattr(limits, "BY_ADDRESS", Limit("signup-address", 1_000_000))


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("label", OPERATIONS)
def test_responses_conform_to_the_schema(label: str, alice_api: ApiClient, stripe_sandbox: Any) -> None:
    """Cases are built here, because SCHEMA.parametrize() builds all of them while pytest collects."""

    def check(case: Any) -> None:
        case.call_and_validate(
            headers={"X-API-Key": alice_api.key}, excluded_checks=list(EXCLUDED.get(case.operation.label, ()))
        )

    load_all_checks()
    schema = SCHEMA.include(lambda context: context.operation.label == label)
    [made] = get_all_tests(schema=schema, test_func=check, settings=SETTINGS, given_kwargs={})
    _, ask = made.ok()
    ask()


@pytest.mark.django_db
class TestSchemaPages:
    def test_schema_needs_no_key(self) -> None:
        assert Client().get("/api/openapi").status_code == 200

    @pytest.mark.parametrize("name", ["yaml", "json"])
    def test_schema_is_generated_once(self, name: str, monkeypatch: Any) -> None:
        first = Client().get(f"/api/openapi?format={name}")
        monkeypatch.delattr(SchemaGenerator, "get_schema")
        again = Client().get(f"/api/openapi?format={name}")
        assert again.content == first.content and "phases/store" in again.text

    def test_reference_page_loads_without_a_cdn(self) -> None:
        response = Client().get("/api/docs")
        assert response.status_code == 200
        assert b"cdn" not in response.content


def find(method: str, path: str) -> Any:
    return DOCUMENT["paths"][path][method]


def read_pattern(path: str, field: str) -> str:
    name = find("post", path)["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[
        2
    ]
    return str(DOCUMENT["components"]["schemas"][name]["properties"][field]["pattern"])


class TestDocument:
    @pytest.mark.parametrize("path", ["/api/v1/phases/store", "/api/v1/entitlement/claim"])
    def test_describes_the_idempotency_key_and_its_errors(self, path: str) -> None:
        operation = find("post", path)
        assert "Idempotency-Key" in [each["name"] for each in operation["parameters"]]
        assert {"409", "422"} <= set(operation["responses"])

    @pytest.mark.parametrize("path", ["/api/health", "/api/health/live", "/api/health/ready"])
    def test_health_needs_no_key_and_may_be_503(self, path: str) -> None:
        operation = find("get", path)
        assert operation["security"] == []
        assert "503" in operation["responses"]

    def test_health_uses_its_own_schema_for_503(self) -> None:
        content = find("get", "/api/health")["responses"]["503"]["content"]["application/json"]["schema"]
        assert {"$ref": "#/components/schemas/Health"} in content["anyOf"]

    def test_allows_a_key_in_either_header(self) -> None:
        assert find("get", "/api/v1/entitlement")["security"] == [{"apiKey": []}, {"bearer": []}]

    def test_lists_all_error_codes(self) -> None:
        codes = DOCUMENT["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"][
            "enum"
        ]
        assert {"AUTH_REQUIRED", "INVALID_API_KEY", "PAYLOAD_TOO_LARGE", "RATE_LIMITED", "CONFLICT"} <= set(
            codes
        )

    def test_is_generated_deterministically(self) -> None:
        assert SchemaGenerator().get_schema(public=True) == DOCUMENT  # type: ignore[no-untyped-call]

    def test_has_no_dangling_references(self) -> None:
        names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
        assert names <= set(DOCUMENT["components"]["schemas"])

    def test_pairs_each_framework_with_its_languages(self) -> None:
        pairs = DOCUMENT["components"]["schemas"]["GenerateRequest"]["anyOf"]
        described = {
            each["properties"]["framework"]["enum"][0]: set(each["properties"]["language"]["enum"])
            for each in pairs
        }
        assert described == {each.name: set(each.languages) for each in FRAMEWORKS.values()}

    def test_describes_rate_limit_and_request_id_headers(self) -> None:
        headers = find("post", "/api/v1/phases/store")["responses"]["429"]["headers"]
        assert {"X-RateLimit-Limit", "X-RateLimit-Reset", "RateLimit", "Retry-After", "X-Request-Id"} <= set(
            headers
        )

    def test_store_request_requires_the_same_fields_as_the_api(self) -> None:
        shape = DOCUMENT["components"]["schemas"]["StorePhaseRequest"]
        assert set(shape["required"]) == {"phase", "repo", "data"}
        assert {"commitSha", "commit_sha", "issueNumber", "issue_number"} <= set(shape["properties"])

    @pytest.mark.parametrize(
        ("repository", "fits"),
        [
            ("acme/shop", True),
            ("a.b/c_d-e", True),
            ("acme", False),
            ("../x", False),
            ("a/..", False),
            ("a/b/c", False),
        ],
    )
    def test_repository_pattern_matches_owner_and_name(self, repository: str, fits: bool) -> None:
        pattern = read_pattern("/api/v1/phases/store", "repo")
        assert bool(re.search(pattern, repository)) is fits


@pytest.mark.django_db
class TestMethodNotAllowed:
    @pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options", "trace"])
    def test_unknown_path_is_404_for_every_method(self, method: str) -> None:
        assert getattr(Client(), method)("/api/v1/nowhere").status_code == 404

    @pytest.mark.parametrize("method", ["get", "put", "delete", "trace"])
    def test_unsupported_method_is_405_with_an_allow_header(self, alice_api: ApiClient, method: str) -> None:
        answer = getattr(Client(), method)("/api/v1/phases/store", headers={"X-API-Key": alice_api.key})
        assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")

    def test_webhook_rejects_get_with_an_allow_header(self) -> None:
        answer = Client().get("/api/webhooks/stripe")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")


class TestFieldSpelling:
    BODY = {"phase": "scan", "repo": "acme/shop", "data": {}}

    def test_both_spellings_are_validated(self, alice_api: ApiClient) -> None:
        answer = alice_api.post("/api/v1/phases/store", self.BODY | {"commitSha": "a", "commit_sha": 7})
        assert answer.status_code == 400
        assert list(answer.json()["error"]["fields"]) == ["commit_sha"]

    @pytest.mark.parametrize(
        "sent", [{"commitSha": "a"}, {"commit_sha": "a"}, {"commitSha": None, "commit_sha": "a"}]
    )
    def test_either_spelling_is_accepted(self, alice_api: ApiClient, sent: Any) -> None:
        assert alice_api.post("/api/v1/phases/store", self.BODY | sent).status_code == 200
