"""Size limits of request bodies, by kind of request."""

import gc
import json

import pytest
from django.conf import settings
from django.test import Client

from core.api.views import ApiRequest, ApiView

API = "/api/v1"
STORE, DETECT, ONBOARD = f"{API}/phases/store", f"{API}/framework/detect", f"{API}/customers/onboard"
WEBHOOK = "/api/webhooks/stripe"
SMALL, LARGE = 64 * 1024, 8 * 1024 * 1024


class Unread:
    """A body with a Content-Length that must never be read."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = read


class Endless:
    """A body without end, which records the sizes that were read."""

    def __init__(self):
        self.asked = []

    def read(self, size):
        self.asked.append(size)
        return b" " * size

    readline = read


def send(path, length, *, key="", announced=None, body=None, stream=None):
    sent = json.dumps({"x": "a" * (length - 9)}).encode() if body is None else body
    headers = {"X-API-Key": key} if key else {}
    extra = {} if announced is None else {"CONTENT_LENGTH": str(announced), "wsgi.input": stream or Unread()}
    return Client(raise_request_exception=False).post(
        path, sent, content_type="application/json", headers=headers, **extra
    )


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


class TestAnonymousRequest:
    @pytest.mark.parametrize("path", [DETECT, ONBOARD])
    def test_accepts_64_kb_and_rejects_more(self, db, path):
        assert send(path, SMALL).status_code in (400, 422)
        response = send(path, SMALL + 1)
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "64 kB" in response.json()["error"]["message"]

    @pytest.mark.parametrize("path", [DETECT, ONBOARD])
    def test_limit_stays_the_same_with_a_key(self, alice_api, path):
        assert send(path, SMALL + 1, key=alice_api.key).status_code == 413

    @pytest.mark.parametrize("path", [DETECT, ONBOARD, WEBHOOK, "/accounts/login/"])
    @pytest.mark.parametrize("announced", [LARGE, 10**15])
    def test_drains_oversized_body_in_chunks(self, db, path, announced):
        """Up to 16 MB are read, so that the client gets to read the response."""
        stream = Endless()
        assert send(path, 100, announced=announced, stream=stream).status_code == 413
        assert max(stream.asked) <= SMALL
        assert sum(stream.asked) == min(announced, 2 * LARGE)

    @pytest.mark.parametrize(
        "path", [STORE, "/api/v1/test-integration/generate", "/api/v1/entitlement/claim"]
    )
    @pytest.mark.parametrize("key", ["", "rsolv_" + "a" * 43])
    def test_body_is_not_read_without_a_valid_key(self, db, path, key):
        assert send(path, 100, announced=1000, key=key).status_code == 401

    def test_body_is_not_read_at_unknown_path(self, db):
        assert send("/api/v1/nothing", 100, announced=1000).status_code == 404


class TestAuthenticatedRequest:
    def test_rejects_oversized_body_without_buffering_it(self, alice_api):
        stream = Endless()
        response = send(STORE, 100, announced=LARGE + 1, key=alice_api.key, stream=stream)
        assert max(stream.asked) <= SMALL
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "8 MB" in response.json()["error"]["message"]

    def test_body_is_not_read_past_the_rate_limit(self, alice_api, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        send(STORE, 100, key=alice_api.key)
        assert send(STORE, 100, announced=1000, key=alice_api.key).status_code == 429

    @pytest.mark.parametrize("length", ["-1", ""])
    def test_invalid_content_length_is_a_client_error(self, alice_api, length):
        response = Client(raise_request_exception=False).post(
            STORE,
            b"{}",
            content_type="application/json",
            headers={"X-API-Key": alice_api.key},
            CONTENT_LENGTH=length,
        )
        assert response.status_code in (400, 413)

    def test_rejects_millions_of_values_with_a_clear_message(self, alice_api):
        response = send(STORE, 0, key=alice_api.key, body=b'{"data":[' + b"{}," * 2_700_000 + b"0]}")
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "150000 objects and lists" in response.json()["error"]["message"]

    def test_response_lists_only_ten_invalid_entries(self, alice_api):
        sent = {"vulnerableFile": "a.py", "candidateTestFiles": [7] * 20_000, "framework": "pytest"}
        response = alice_api.post("/api/v1/test-integration/analyze", sent)
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert len(response.json()["error"]["fields"]) == 10


class TestMemoryAfterResponse:
    """The garbage collector is off: it counts objects, and a body of 8 MB is only one of them."""

    @pytest.fixture(autouse=True)
    def without_collector(self):
        gc.collect()
        gc.disable()
        yield
        gc.enable()

    def find_held(self):
        held = [each for each in gc.get_objects() if issubclass(type(each), ApiRequest | ApiView)]
        requests = [each for each in held if issubclass(type(each), ApiRequest)]
        assert held
        return [each for each in requests if each.raw_body or each.sent_json or each.data] + [
            each for each in held if getattr(each, "response", None) is not None
        ]

    @pytest.mark.parametrize("phase", ["scan", "unknown"])
    def test_request_body_is_released(self, alice_api, phase):
        sent = {"phase": phase, "repo": "acme/shop", "commitSha": "c", "data": {"x": "y" * 100_000}}
        assert alice_api.post("/api/v1/phases/store", sent).status_code in (200, 400)
        assert self.find_held() == []

    def test_stored_result_is_released(self, alice_api):
        sent = {"phase": "scan", "repo": "acme/shop", "commitSha": "c", "data": {"x": "y" * 100_000}}
        alice_api.post("/api/v1/phases/store", sent)
        alice_api.get("/api/v1/phases/retrieve", {"repo": "acme/shop", "issue": 1, "commit": "c"})
        assert self.find_held() == []


class TestWebhook:
    def test_accepts_one_megabyte_and_rejects_more(self, db):
        assert send(WEBHOOK, 1024 * 1024).status_code == 400
        response = send(WEBHOOK, 1024 * 1024 + 1)
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "1 MB" in response.json()["error"]["message"]


class TestPageForm:
    @pytest.mark.parametrize("path", ["/accounts/login/", "/dashboard/", "/", "/nowhere"])
    def test_rejects_form_over_64_kb(self, db, path):
        response = Client().post(path, **{"CONTENT_LENGTH": str(SMALL + 1), "wsgi.input": Endless()})
        assert response.status_code == 413
        assert "too large" in response.text

    def test_rejects_uploaded_file_over_64_kb(self, db, tmp_path):
        class Upload:
            name = "a"

            def read(self, *_):
                return b"x" * (SMALL + 1)

        assert Client().post("/accounts/login/", {"file": Upload()}).status_code == 413

    def test_accepts_small_form(self, db):
        form = {"login": "a@example.com", "password": "x" * 1000}
        assert Client().post("/accounts/login/", form).status_code == 200

    @pytest.mark.parametrize("path", ["/accounts/login/?next=%00", "/invitations/a%00b/", "/?a=1&a=%00"])
    def test_rejects_nul_in_the_url(self, db, path):
        """PostgreSQL stores no NUL in a text column, so the query would fail."""
        assert Client().get(path).status_code == 400

    def test_rejects_nul_in_a_form(self, db):
        assert (
            Client().post("/accounts/login/", {"login": "a\0@example.com", "password": "x"}).status_code
            == 400
        )

    def test_number_of_fields_is_limited(self):
        assert settings.DATA_UPLOAD_MAX_NUMBER_FIELDS <= 1000
