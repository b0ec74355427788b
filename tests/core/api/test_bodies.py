"""How much each kind of request may send."""

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
    """A body that announces its length and is never looked at."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = read


class Endless:
    """A body of which all is taken that anybody asks for."""

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


class TestWithoutAKey:
    @pytest.mark.parametrize("path", [DETECT, ONBOARD])
    def test_64_kb_are_read_and_no_more(self, db, path):
        assert send(path, SMALL).status_code in (400, 422)
        response = send(path, SMALL + 1)
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "64 kB" in response.json()["error"]["message"]

    @pytest.mark.parametrize("path", [DETECT, ONBOARD])
    def test_a_key_makes_no_difference(self, alice_api, path):
        assert send(path, SMALL + 1, key=alice_api.key).status_code == 413

    @pytest.mark.parametrize("path", [DETECT, ONBOARD, WEBHOOK, "/accounts/login/"])
    @pytest.mark.parametrize("announced", [LARGE, 10**15])
    def test_what_announces_more_is_dropped_piece_by_piece(self, db, path, announced):
        """To the end where that is near, so that the client comes to read the answer."""
        stream = Endless()
        assert send(path, 100, announced=announced, stream=stream).status_code == 413
        assert max(stream.asked) <= SMALL
        assert sum(stream.asked) == min(announced, 2 * LARGE)

    @pytest.mark.parametrize(
        "path", [STORE, "/api/v1/test-integration/generate", "/api/v1/entitlement/claim"]
    )
    @pytest.mark.parametrize("key", ["", "rsolv_" + "a" * 43])
    def test_nothing_is_read_where_a_key_is_needed(self, db, path, key):
        assert send(path, 100, announced=1000, key=key).status_code == 401

    def test_nothing_is_read_by_an_address_that_is_none(self, db):
        assert send("/api/v1/nothing", 100, announced=1000).status_code == 404


class TestWithAKey:
    def test_what_announces_more_is_not_kept(self, alice_api):
        stream = Endless()
        response = send(STORE, 100, announced=LARGE + 1, key=alice_api.key, stream=stream)
        assert max(stream.asked) <= SMALL
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "8 MB" in response.json()["error"]["message"]

    def test_nothing_is_read_past_the_limit_of_requests(self, alice_api, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        send(STORE, 100, key=alice_api.key)
        assert send(STORE, 100, announced=1000, key=alice_api.key).status_code == 429

    @pytest.mark.parametrize("length", ["-1", ""])
    def test_an_odd_length_is_no_fault_of_ours(self, alice_api, length):
        response = Client(raise_request_exception=False).post(
            STORE,
            b"{}",
            content_type="application/json",
            headers={"X-API-Key": alice_api.key},
            CONTENT_LENGTH=length,
        )
        assert response.status_code in (400, 413)

    def test_millions_of_values_are_refused_by_name(self, alice_api):
        response = send(STORE, 0, key=alice_api.key, body=b'{"data":[' + b"{}," * 2_700_000 + b"0]}")
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "150000 objects and lists" in response.json()["error"]["message"]

    def test_the_answer_names_a_few_of_the_wrong_entries(self, alice_api):
        sent = {"vulnerableFile": "a.py", "candidateTestFiles": [7] * 20_000, "framework": "pytest"}
        response = alice_api.post("/api/v1/test-integration/analyze", sent)
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert len(response.json()["error"]["fields"]) == 10


class TestAfterTheAnswer:
    """With the garbage collector off: it counts objects, and a body of 8 MB is one."""

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
    def test_no_body_stays_in_memory(self, alice_api, phase):
        sent = {"phase": phase, "repo": "acme/shop", "commitSha": "c", "data": {"x": "y" * 100_000}}
        assert alice_api.post("/api/v1/phases/store", sent).status_code in (200, 400)
        assert self.find_held() == []

    def test_no_stored_result_stays_in_memory(self, alice_api):
        sent = {"phase": "scan", "repo": "acme/shop", "commitSha": "c", "data": {"x": "y" * 100_000}}
        alice_api.post("/api/v1/phases/store", sent)
        alice_api.get("/api/v1/phases/retrieve", {"repo": "acme/shop", "issue": 1, "commit": "c"})
        assert self.find_held() == []


class TestWebhooks:
    def test_take_a_megabyte(self, db):
        assert send(WEBHOOK, 1024 * 1024).status_code == 400
        response = send(WEBHOOK, 1024 * 1024 + 1)
        assert error_of(response) == (413, "PAYLOAD_TOO_LARGE")
        assert "1 MB" in response.json()["error"]["message"]


class TestPages:
    @pytest.mark.parametrize("path", ["/accounts/login/", "/dashboard/", "/", "/nowhere"])
    def test_read_no_form_of_more_than_64_kb(self, db, path):
        response = Client().post(path, **{"CONTENT_LENGTH": str(SMALL + 1), "wsgi.input": Endless()})
        assert response.status_code == 413
        assert "too large" in response.text

    def test_a_file_is_not_written_to_disk(self, db, tmp_path):
        class Upload:
            name = "a"

            def read(self, *_):
                return b"x" * (SMALL + 1)

        assert Client().post("/accounts/login/", {"file": Upload()}).status_code == 413

    def test_read_a_form_of_less(self, db):
        form = {"login": "a@example.com", "password": "x" * 1000}
        assert Client().post("/accounts/login/", form).status_code == 200

    @pytest.mark.parametrize("path", ["/accounts/login/?next=%00", "/invitations/a%00b/", "/?a=1&a=%00"])
    def test_refuse_a_nul_in_the_address(self, db, path):
        """PostgreSQL takes none in a text, so the query would fail."""
        assert Client().get(path).status_code == 400

    def test_refuse_a_nul_in_a_form(self, db):
        assert (
            Client().post("/accounts/login/", {"login": "a\0@example.com", "password": "x"}).status_code
            == 400
        )

    def test_have_a_limit_of_fields(self):
        assert settings.DATA_UPLOAD_MAX_NUMBER_FIELDS <= 1000
