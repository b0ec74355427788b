from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import ApiKey
from customers.services.manage_keys import create_api_key, revoke_api_key
from tests.conftest import ApiClient

PATH = "/api/v1/entitlement"


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


class TestApiKeyAuthentication:
    def test_accepts_the_key_in_its_header(self, alice_api):
        assert alice_api.get(PATH).status_code == 200

    def test_accepts_the_key_as_a_bearer_token(self, alice_api):
        assert Client().get(PATH, headers={"Authorization": f"Bearer {alice_api.key}"}).status_code == 200

    def test_requires_a_key(self, db):
        assert error_of(Client().get(PATH)) == (401, "AUTH_REQUIRED")

    @pytest.mark.parametrize(
        "key", ["x", "rsolv_" + "a" * 43, "", "rsolv_é" + "a" * 42, "rsolv_" + "a" * 43 + "\t"]
    )
    def test_rejects_an_unknown_key(self, db, key):
        response = ApiClient(key).get(PATH)
        assert error_of(response) == (401, "INVALID_API_KEY")
        assert response.json()["error"]["message"] == "Invalid or expired API key"

    def test_rejects_a_revoked_key_at_once(self, alice_api):
        assert alice_api.get(PATH).status_code == 200
        revoke_api_key(api_key=ApiKey.objects.get(), at=timezone.now())
        assert error_of(alice_api.get(PATH)) == (401, "INVALID_API_KEY")

    def test_rejects_an_expired_key(self, acme, time_machine):
        ends_at = timezone.now() + timedelta(hours=1)
        client = ApiClient(create_api_key(customer=acme, name="x", expires_at=ends_at).raw)
        assert client.get(PATH).status_code == 200
        time_machine.move_to(ends_at + timedelta(seconds=1))
        assert error_of(client.get(PATH)) == (401, "INVALID_API_KEY")

    def test_runs_no_query_for_a_cached_key(self, alice_api, settings, django_assert_num_queries):
        alice_api.get(PATH)
        with django_assert_num_queries(2 if settings.REDIS_URL else 3):  # the account, the count of fixes
            alice_api.get(PATH)

    def test_records_the_last_use_without_writing_each_time(self, alice_api):
        alice_api.get(PATH)
        first = ApiKey.objects.get().last_used_at
        alice_api.get(PATH)
        assert ApiKey.objects.get().last_used_at == first is not None

    def test_limits_attempts_with_unknown_keys(self, db, alice_api, settings):
        settings.API_BAD_KEYS_PER_MINUTE = 3
        statuses = [ApiClient("rsolv_" + "a" * 43).get(PATH).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert alice_api.get(PATH).status_code == 200


class TestKeySecrecy:
    def test_only_a_hash_is_stored(self, alice_api):
        row = ApiKey.objects.values().get()
        assert not [name for name, value in row.items() if alice_api.key in str(value)]
        assert alice_api.key.startswith(row["prefix"])

    def test_repr_of_a_new_key_hides_it(self, alice_api):
        new = create_api_key(customer=alice_api.customer, name="x")
        assert new.raw not in repr(new)
