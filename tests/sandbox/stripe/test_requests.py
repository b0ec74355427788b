"""Behavior common to all endpoints: keys, errors, parameters, pagination, expansion, metadata."""

import json
import urllib.request

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import KEY, Shop


class TestKey:
    @pytest.mark.parametrize("key", ["sk_test_short", "pk_test_" + "a" * 24, "sk_other_" + "a" * 24])
    def test_rejects_what_is_no_secret_key(self, sandbox: StripeSandbox, key: str) -> None:
        client = stripe.StripeClient(key, base_addresses={"api": sandbox.url})
        with pytest.raises(stripe.AuthenticationError):
            client.v1.customers.list()

    def test_takes_a_restricted_key(self, sandbox: StripeSandbox) -> None:
        client = stripe.StripeClient("rk_test_" + "a" * 24, base_addresses={"api": sandbox.url})
        assert client.v1.accounts.retrieve_current().object == "account"


class TestHeaders:
    def test_names_the_request_and_repeats_the_version(self, sandbox: StripeSandbox) -> None:
        headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2026-08-26.dahlia"}
        request = urllib.request.Request(f"{sandbox.url}/v1/account", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["Request-Id"].startswith("req_")
            assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"

    def test_module_level_client_works(self, sandbox: StripeSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe, "api_base", sandbox.url)
        assert stripe.Customer.create(email="ada@example.com", api_key=KEY).email == "ada@example.com"


class TestRejections:
    def test_unknown_parameter(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.customers.create({"emial": "ada@example.com"})
        assert (rejected.value.code, rejected.value.param) == ("parameter_unknown", "emial")

    def test_unknown_nested_parameter(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.customers.create({"address": {"planet": "Mars"}})
        assert rejected.value.param == "address[planet]"

    def test_missing_parameter(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.products.create({})
        assert (rejected.value.code, rejected.value.param) == ("parameter_missing", "name")

    def test_unknown_id(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.customers.retrieve("cus_nobody")
        assert (rejected.value.http_status, rejected.value.code) == (404, "resource_missing")

    def test_unknown_address(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.coupons.list()
        assert rejected.value.http_status == 404

    def test_nothing_is_left_of_a_rejected_call(self, sandbox: StripeSandbox, shop: Shop) -> None:
        with pytest.raises(stripe.CardError):
            shop.customer(card="pm_card_chargeDeclined")
        assert "customer" not in sandbox.control.state()


class TestPagination:
    def test_newest_first_with_a_cursor(self, shop: Shop) -> None:
        ids = [shop.customer(card=None).id for _ in range(5)]
        first = shop.v1.customers.list({"limit": 2})
        second = shop.v1.customers.list({"limit": 2, "starting_after": first.data[-1].id})
        assert [each.id for each in (*first.data, *second.data)] == ids[:0:-1]
        assert first.has_more

    def test_walks_back(self, shop: Shop) -> None:
        ids = [shop.customer(card=None).id for _ in range(5)]
        page = shop.v1.customers.list({"limit": 2, "ending_before": ids[0]})
        assert [each.id for each in page.data] == [ids[2], ids[1]]

    def test_the_sdk_pages_by_itself(self, shop: Shop) -> None:
        for _ in range(7):
            shop.customer(card=None)
        assert len(list(shop.v1.customers.list({"limit": 3}).auto_paging_iter())) == 7

    def test_by_email(self, shop: Shop) -> None:
        bob = shop.customer(card=None, email="bob@example.com")
        shop.customer(card=None)
        assert [each.id for each in shop.v1.customers.list({"email": "bob@example.com"}).data] == [bob.id]


class TestExpand:
    def test_follows_a_path_through_a_list(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.monthly)
        page = shop.v1.subscriptions.list(
            {"customer": ada.id, "expand": ["data.customer", "data.items.data.price.product"]}
        )
        assert page.data[0].customer.email == "ada@example.com"
        assert page.data[0]["items"].data[0].price.product.name == "Fix"

    def test_shows_what_is_hidden_otherwise(self, shop: Shop) -> None:
        plain = shop.v1.prices.retrieve(shop.beyond_sixty.id)
        expanded = shop.v1.prices.retrieve(shop.beyond_sixty.id, {"expand": ["tiers"]})
        assert "tiers" not in plain
        assert [tier.up_to for tier in expanded.tiers] == [60, None]

    def test_rejects_what_cannot_be_expanded(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            shop.v1.customers.retrieve(shop.customer().id, {"expand": ["nonsense"]})


class TestMetadata:
    def test_merges_and_removes(self, shop: Shop) -> None:
        ada = shop.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
        ada = shop.v1.customers.update(ada.id, {"metadata": {"b": "", "c": "3"}})
        assert json.loads(str(ada.metadata)) == {"a": "1", "c": "3"}
