"""The network that rate limits count, and the address that is recorded."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from core.api.throttling import find_address, find_ip
from core.http.client_ip import get_client_ip, get_client_network
from customers.models import ApiKey
from customers.services.flush_key_uses import flush_key_uses
from tests.conftest import ApiClient

DETECT = "/api/v1/framework/detect"


def make_request(peer: str = "192.0.2.1", forwarded: str | None = None) -> Any:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


class TestNetwork:
    @pytest.mark.parametrize("address", ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"])
    def test_of_ipv6_address_is_its_64_prefix(self, address: str) -> None:
        assert get_client_network(make_request(address)) == "2001:db8:1:2::/64"

    def test_differs_for_neighboring_prefixes(self) -> None:
        assert get_client_network(make_request("2001:db8:1:3::1")) == "2001:db8:1:3::/64"

    @pytest.mark.parametrize("address", ["::ffff:192.0.2.7", "::FFFF:c000:207", "192.0.2.7"])
    def test_of_ipv4_mapped_address_is_the_ipv4_address(self, address: str) -> None:
        assert get_client_network(make_request(address)) == "192.0.2.7"

    def test_of_6to4_address_is_its_48_prefix(self) -> None:
        networks = {get_client_network(make_request(f"2002:c000:0204:{n}::1")) for n in range(3)}
        assert networks == {"2002:c000:204::/48"}

    @pytest.mark.parametrize("peer", ["", "unix:", "not an address"])
    def test_without_an_address_is_unknown(self, peer: str) -> None:
        assert get_client_network(make_request(peer)) == "unknown"

    def test_is_used_for_limits_but_not_recorded(self) -> None:
        request = make_request("2001:db8:1:2::9")
        assert find_address(request) == "2001:db8:1:2::/64"
        assert find_ip(request) == get_client_ip(request) == "2001:db8:1:2::9"


class TestForwardedFor:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "expected"),
        [
            (0, "203.0.113.9", "192.0.2.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),
            (2, "made-up, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
            (2, "203.0.113.9", "192.0.2.1"),
            (1, "", "192.0.2.1"),
            (1, None, "192.0.2.1"),
            (1, "garbage", "192.0.2.1"),
            (1, "203.0.113.9,", "192.0.2.1"),
            (1, "203.0.113.9:51234", "203.0.113.9"),
            (1, "[2001:db8::7]:443", "2001:db8::7"),
            (1, '"[2001:db8::7]"', "2001:db8::7"),
            (1, "2001:DB8:0::7", "2001:db8::7"),
            (1, "fe80::7%eth0", "fe80::7"),
            (1, "::ffff:203.0.113.9", "203.0.113.9"),
            (1, "203.0.113.9\x00", "192.0.2.1"),
        ],
    )
    def test_is_read_from_trusted_proxies_only(
        self, settings: Any, proxies: int, forwarded: str | None, expected: str
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = proxies
        assert get_client_ip(make_request(forwarded=forwarded)) == expected


@pytest.mark.django_db
class TestRateLimits:
    def test_count_anonymous_requests_by_64_prefix(self, settings: Any) -> None:
        settings.API_REQUESTS_PER_MINUTE = 2
        answers = [
            Client().post(
                DETECT, {"requirementsTxt": "pytest"}, "application/json", REMOTE_ADDR=f"2001:db8::{n}"
            )
            for n in range(1, 4)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_count_invalid_keys_by_64_prefix(self, settings: Any) -> None:
        settings.API_BAD_KEYS_PER_MINUTE = 2
        answers = [
            Client().get(
                "/api/v1/entitlement", headers={"X-API-Key": f"rsolv_{n}"}, REMOTE_ADDR=f"2001:db8::{n}"
            )
            for n in range(1, 4)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 429]

    def test_count_logins_by_64_prefix_and_mapped_addresses_as_ipv4(self, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
        for peers in (
            ["2001:db8::1", "2001:db8::2", "2001:db8::3"],
            ["::ffff:192.0.2.9"] * 2 + ["192.0.2.9"],
        ):
            cache.clear()
            sent = {"login": "alice@acme.test", "password": "wrong"}
            answers = [Client().post("/accounts/login/", sent, REMOTE_ADDR=peer) for peer in peers]
            assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_login_works_with_fewer_proxies_than_configured(self, settings: Any) -> None:
        settings.TRUSTED_PROXY_COUNT = 2
        settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
        sent = {"login": "alice@acme.test", "password": "wrong"}
        answer = Client().post("/accounts/login/", sent, headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 200


@pytest.mark.services
def test_last_use_of_a_key_records_the_full_address(alice_api: ApiClient) -> None:
    Client().get("/api/v1/entitlement", headers={"X-API-Key": alice_api.key}, REMOTE_ADDR="2001:db8::77")
    flush_key_uses()
    assert ApiKey.objects.get().last_used_from == "2001:db8::77"
