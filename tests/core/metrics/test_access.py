from ipaddress import ip_network

import pytest
from django.test import Client

TOKEN = "a-token-of-the-scraper"


@pytest.fixture
def by_token(settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr("core.metrics.middleware.read_gauges", lambda: ())


@pytest.fixture
def by_address(settings, monkeypatch):
    settings.METRICS_ADDRESSES = [ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")]
    monkeypatch.setattr("core.metrics.middleware.read_gauges", lambda: ())


def ask(address="203.0.113.9", **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().get("/metrics", headers=sent, REMOTE_ADDR=address).status_code


class TestWithoutConfiguration:
    def test_scraping_is_not_found(self):
        assert ask("127.0.0.1", Authorization="Bearer ") == 404

    def test_response_equals_that_of_an_unknown_path(self):
        answers = [Client().get(path).content.partition(b"req_")[0] for path in ("/metrics", "/no-such-page")]
        assert answers[0] == answers[1]


class TestToken:
    def test_allows_scraping(self, by_token):
        assert ask(Authorization=f"Bearer {TOKEN}") == 200

    @pytest.mark.parametrize(
        "sent",
        ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer é"],
    )
    def test_rejects_any_other_value(self, by_token, sent):
        assert ask(Authorization=sent) == 404

    def test_is_accepted_through_a_proxy(self, by_token):
        assert ask(Authorization=f"Bearer {TOKEN}", X_Forwarded_For="198.51.100.1") == 200


class TestAddress:
    @pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::5"])
    def test_allows_scraping_from_a_configured_network(self, by_address, address):
        assert ask(address) == 200

    @pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "", "unix:", "2001:db9::1"])
    def test_rejects_any_other_network(self, by_address, address):
        assert ask(address) == 404

    @pytest.mark.parametrize("proxies", [0, 1, 2])
    def test_ignores_forwarded_headers(self, by_address, settings, proxies):
        settings.TRUSTED_PROXY_COUNT = proxies
        assert ask("203.0.113.9", X_Forwarded_For="10.1.2.3, 10.1.2.3") == 404

    @pytest.mark.parametrize("mark", ["X_Forwarded_For", "Forwarded", "X_Real_Ip", "Via"])
    def test_rejects_requests_forwarded_by_an_allowed_proxy(self, by_address, mark):
        assert ask("10.1.0.1", **{mark: "203.0.113.9"}) == 404
