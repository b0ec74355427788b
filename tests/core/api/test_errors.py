import io
import json
import logging

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client
from prometheus_client import REGISTRY
from structlog.stdlib import ProcessorFormatter

from customers.models import RateLimit

PATH = "/api/v1/phases/store"
VALID = {"phase": "scan", "repo": "acme/shop", "commitSha": "abc", "data": {}}


def count_of(name, labels=None):
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.fixture
def console():
    """The output of the console log handler."""
    root = logging.getLogger()
    formatter = next(
        each.formatter for each in root.handlers if isinstance(each.formatter, ProcessorFormatter)
    )
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter)
    root.addHandler(handler)
    yield handler.stream
    root.removeHandler(handler)


def nest(levels, opening="[", closing="]"):
    return (
        '{"phase":"scan","repo":"acme/shop","commitSha":"abc","data":{"x":'
        + opening * levels
        + closing * levels
        + "}}"
    )


class TestMalformedBody:
    @pytest.mark.parametrize(
        "body",
        [
            "not json",
            "{",
            "[]",
            '"text"',
            "null",
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": "\\u0000"}',
            '{"a": "\\ud800"}',
            '{"\\u0000": 1}',
            '{"a": ' + "9" * 5000 + "}",
            nest(101),
            nest(10_000),
            nest(100_000),
            '{"a": "\x00"}',
            '{"a": "\\u0000", "a": 1}',
            '{"a": "\\udc00\\ud800"}',
            '{"a": "\\ud800\\ud800"}',
            '{"a": "\\ud83d\\n"}',
            nest(101).replace('"data"', '"phase"') + "",
            '{"a": ' + "[" * 200 + "]" * 200 + ', "a": 1}',
        ],
        ids=lambda body: body[:20],
    )
    def test_is_rejected_with_400(self, alice_api, body):
        response = alice_api.post(PATH, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")

    def test_empty_body_reports_missing_parameters(self, alice_api):
        response = alice_api.post(PATH, "")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "MISSING_PARAMETERS")

    def test_invalid_utf8_is_rejected_with_400(self, alice_api):
        response = Client().post(
            PATH, b'{"a": "\xff"}', content_type="application/json", headers={"X-API-Key": alice_api.key}
        )
        assert response.status_code == 400

    def test_other_content_type_is_rejected_with_400(self, alice_api):
        response = Client().post(PATH, {"phase": "scan"}, headers={"X-API-Key": alice_api.key})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")

    def test_brackets_in_strings_do_not_count_as_nesting(self, alice_api):
        assert alice_api.post(PATH, VALID | {"data": {"x": '["\\' * 500, "y": [{}] * 500}}).status_code == 200

    def test_complete_surrogate_pair_is_accepted(self, alice_api):
        body = json.dumps(VALID | {"data": {"face": "😀"}})
        assert "\\ud83d" in body
        assert alice_api.post(PATH, body).status_code == 200

    def test_over_8_mb_is_rejected_with_413(self, alice_api):
        response = alice_api.post(PATH, VALID | {"data": {"x": "a" * 8 * 1024 * 1024}})
        assert (response.status_code, response.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")

    def test_just_under_8_mb_is_accepted(self, alice_api):
        assert alice_api.post(PATH, VALID | {"data": {"x": "a" * (8 * 1024 * 1024 - 200)}}).status_code == 200


class TestErrorResponse:
    def test_contains_the_request_id(self, alice_api):
        response = alice_api.post(PATH, "{", X_Request_Id="run-42-abc")
        assert response["X-Request-Id"] == response.json()["requestId"] == "run-42-abc"

    @pytest.mark.parametrize("sent", ["short", "with space inside", "a" * 200, "<script>alert</script>"])
    def test_replaces_invalid_request_id(self, alice_api, sent):
        assert alice_api.post(PATH, "{", X_Request_Id=sent)["X-Request-Id"].startswith("req_")

    @pytest.mark.parametrize(
        "path", ["credentials/exchange", "usage/report", "fix-attempts", "ast/validate", "patterns"]
    )
    def test_unknown_endpoint_is_404(self, alice_api, path):
        response = alice_api.post(f"/api/v1/{path}", {})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert "X-RateLimit-Limit" in response

    def test_unsupported_method_is_405(self, alice_api):
        response = alice_api.get(PATH)
        assert (response.status_code, response.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")

    def test_unexpected_error_is_500_without_details(self, alice_api, monkeypatch):
        def fail(**_):
            raise RuntimeError("secret detail")

        monkeypatch.setattr("phases.api.views.store_phase", fail)
        response = alice_api.post(PATH, VALID)
        assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
        assert b"secret" not in response.content

    def test_log_of_unexpected_error_contains_no_key_or_payload(self, alice_api, monkeypatch, console):
        monkeypatch.setattr("phases.api.views.store_phase", lambda **_: 1 / 0)
        alice_api.post(PATH, VALID | {"data": {"x": "payload-of-the-customer"}})
        logged = console.getvalue()
        assert "ZeroDivisionError" in logged
        assert alice_api.key not in logged
        assert "payload-of-the-customer" not in logged

    def test_unavailable_database_is_503(self, alice_api, monkeypatch):
        def fail(**_):
            raise OperationalError

        monkeypatch.setattr("phases.api.views.store_phase", fail)
        response = alice_api.post(PATH, VALID)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")

    def test_is_json_for_every_accept_header(self, alice_api):
        response = alice_api.get("/api/v1/entitlement", Accept="text/html")
        assert response["Content-Type"] == "application/json"


class TestRateLimit:
    def test_successful_response_has_rate_limit_headers(self, alice_api):
        response = alice_api.get("/api/v1/entitlement")
        assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("500", "499")
        assert {"X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"} <= set(response.headers)

    def test_unauthorized_response_has_rate_limit_headers(self, db):
        assert Client().get("/api/v1/entitlement")["X-RateLimit-Limit"] == "500"

    def test_reads_client_address_from_trusted_proxies_only(self, db, settings):
        settings.API_REQUESTS_PER_MINUTE = 2
        settings.TRUSTED_PROXY_COUNT = 1

        def ask(forwarded):
            headers = {"X-Forwarded-For": forwarded}
            body = {"requirementsTxt": "pytest"}
            return Client().post("/api/v1/framework/detect", body, "application/json", headers=headers)

        assert [ask(f"made-up-{n}, 10.0.0.1").status_code for n in range(3)] == [200, 200, 429]
        assert ask("made-up, 10.0.0.2").status_code == 200

    def test_request_past_the_limit_is_429_with_retry_after(self, alice_api, mallory_api, settings):
        settings.API_REQUESTS_PER_MINUTE = 2
        responses = [alice_api.get("/api/v1/entitlement") for _ in range(3)]
        assert [response.status_code for response in responses] == [200, 200, 429]
        assert responses[-1].json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        assert 1 <= int(responses[-1]["Retry-After"]) <= 60
        assert responses[-1]["X-RateLimit-Remaining"] == "0"
        assert mallory_api.get("/api/v1/entitlement").status_code == 200

    def test_test_integration_has_its_own_limit(self, alice_api, settings):
        settings.API_TEST_INTEGRATION_PER_MINUTE = 1
        body = {"vulnerableFile": "a.py", "type": "xss", "framework": "pytest"}
        responses = [alice_api.post("/api/v1/test-integration/naming", body) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 429]
        assert responses[-1].json()["error"]["code"] == "RATE_LIMITED"
        assert alice_api.get("/api/v1/entitlement").status_code == 200

    def test_allows_and_counts_requests_while_redis_is_unavailable(self, alice_api, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        before = count_of("rsolv_api_limiter_unavailable_total")
        responses = [alice_api.get("/api/v1/entitlement") for _ in range(3)]
        assert [response.status_code for response in responses] == [200, 200, 200]
        assert responses[-1]["X-RateLimit-Limit"] == "1"
        assert count_of("rsolv_api_limiter_unavailable_total") == before + 3

    def test_counts_rejected_requests(self, alice_api, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        name, labels = "rsolv_api_limiter_rejections_total", {"code": "RATE_LIMIT_EXCEEDED"}
        before = count_of(name, labels)
        assert [alice_api.get("/api/v1/entitlement").status_code for _ in range(2)] == [200, 429]
        assert count_of(name, labels) == before + 1


class TestCustomRateLimit:
    def ask(self, client):
        return client.get("/api/v1/entitlement")["X-RateLimit-Limit"]

    def test_overrides_the_default(self, alice_api, mallory_api):
        assert self.ask(alice_api) == "500"
        RateLimit.objects.create(customer=alice_api.customer, requests_per_minute=900)
        assert (self.ask(alice_api), self.ask(mallory_api)) == ("900", "500")

    def test_customer_limit_overrides_plan_limit(self, alice_api, mallory_api):
        RateLimit.objects.create(plan="trial", requests_per_minute=50, test_integration_per_minute=7)
        limit = RateLimit.objects.create(customer=alice_api.customer, requests_per_minute=900)
        assert (self.ask(alice_api), self.ask(mallory_api)) == ("900", "50")
        limit.delete()
        assert self.ask(alice_api) == "50"

    def test_limits_test_integration_separately(self, alice_api):
        RateLimit.objects.create(customer=alice_api.customer, test_integration_per_minute=1)
        body = {"vulnerableFile": "a.py", "type": "xss", "framework": "pytest"}
        responses = [alice_api.post("/api/v1/test-integration/naming", body) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 429]

    @pytest.mark.parametrize(
        "fields", [{}, {"plan": "trial", "customer": True}, {"plan": "payg", "zero": True}]
    )
    def test_requires_either_plan_or_customer_and_a_positive_limit(self, alice_api, fields):
        row = RateLimit(plan=fields.get("plan"), requests_per_minute=0 if "zero" in fields else 5)
        row.customer = alice_api.customer if "customer" in fields else None
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
