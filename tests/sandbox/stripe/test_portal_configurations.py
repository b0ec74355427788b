"""The portal opens with a configuration, and offers what it enables."""

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop
from tests.sandbox.stripe.test_hosted import read, submit


class TestConfiguration:
    def test_has_everything_off_that_is_not_given(self, shop: Shop) -> None:
        given = {"features": {"invoice_history": {"enabled": True}}}
        made = shop.v1.billing_portal.configurations.create(given)
        features = made.features.to_dict()
        assert [name for name, feature in features.items() if feature["enabled"]] == ["invoice_history"]
        assert (made.active, made.is_default) == (True, False)

    def test_requires_features(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="Missing required param: features"):
            shop.v1.billing_portal.configurations.create({"name": "Ours"})

    def test_is_changed_in_what_is_given(self, sandbox: StripeSandbox, shop: Shop) -> None:
        id = shop.portal_configuration.id
        change = {"features": {"subscription_cancel": {"enabled": False}}, "metadata": {"whose": "ours"}}
        changed = shop.v1.billing_portal.configurations.update(id, change)
        assert not changed.features.subscription_cancel.enabled
        assert changed.features.invoice_history.enabled
        assert changed.metadata["whose"] == "ours"
        assert len(sandbox.control.events("billing_portal.configuration.updated")) == 1

    def test_is_listed_while_it_is_active(self, shop: Shop) -> None:
        configurations = shop.v1.billing_portal.configurations
        id = shop.portal_configuration.id
        assert [each.id for each in configurations.list({"active": True}).data] == [id]
        configurations.update(id, {"active": False})
        assert configurations.list({"active": True}).data == []
        assert [each.id for each in configurations.list({"is_default": False}).data] == [id]


class TestSession:
    def test_is_rejected_without_a_configuration(self, shop: Shop) -> None:
        ada = shop.customer()
        assert shop.portal_configuration
        with pytest.raises(stripe.InvalidRequestError, match="No configuration provided") as raised:
            shop.v1.billing_portal.sessions.create({"customer": ada.id})
        assert raised.value.http_status == 400

    def test_is_rejected_with_an_unknown_or_inactive_one(self, shop: Shop) -> None:
        ada = shop.customer()
        with pytest.raises(stripe.InvalidRequestError, match="No such configuration: 'bpc_0'"):
            shop.open_portal(ada, configuration="bpc_0")
        shop.v1.billing_portal.configurations.update(shop.portal_configuration.id, {"active": False})
        with pytest.raises(stripe.InvalidRequestError, match="not active"):
            shop.open_portal(ada)

    def test_offers_what_is_enabled(self, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        url = shop.open_portal(ada).url
        assert "Cancel plan" in read(url)[1]
        change = {"features": {"subscription_cancel": {"enabled": False}}}
        shop.v1.billing_portal.configurations.update(shop.portal_configuration.id, change)
        body = read(url)[1]
        assert "Cancel plan" not in body and "Change the card" in body
        assert submit(url, do="cancel", subject=subscription.id)[0] == 403
        assert not shop.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end
        with pytest.raises(stripe.InvalidRequestError, match="does not enable subscription_cancel"):
            cancel = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription.id}}
            shop.open_portal(ada, flow_data=cancel)
