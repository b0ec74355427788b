import pytest

from billing.services.payments.open_billing_portal import open_billing_portal
from billing.services.subscriptions.start_checkout import NoStripeCustomer
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import NotSetUp, StripeUnavailable
from tests.factories import CustomerFactory


class TestOpenBillingPortal:
    def test_gives_the_customers_own_page(self, billing_env, customer):
        url = open_billing_portal(customer=customer, return_url="https://rsolv.test/billing/")
        session = billing_env.stripe.control.objects("billing_portal.session")[0]
        assert session["url"] == url
        assert session["customer"] == billing_env.account(customer).stripe_customer_id

    def test_offers_cards_invoices_and_tax_ids_but_no_cancellation(self, billing_env, customer):
        open_billing_portal(customer=customer, return_url="https://rsolv.test/")
        session = billing_env.stripe.control.objects("billing_portal.session")[0]
        (used,) = billing_env.stripe.control.objects("billing_portal.configuration")
        enabled = {name for name, feature in used["features"].items() if feature["enabled"]}
        assert session["configuration"] == used["id"]
        assert enabled == {"customer_update", "invoice_history", "payment_method_update"}
        assert used["features"]["customer_update"]["allowed_updates"] == ["tax_id"]

    def test_asks_for_sync_plans_without_a_configuration(self, billing_env, customer):
        (known,) = billing_env.stripe.control.objects("billing_portal.configuration")
        get_client().v1.billing_portal.configurations.update(known["id"], {"active": False})
        with pytest.raises(NotSetUp, match="sync_plans"):
            open_billing_portal(customer=customer, return_url="https://rsolv.test/")

    def test_explains_what_to_do_without_a_stripe_customer(self, db):
        with pytest.raises(NoStripeCustomer):
            open_billing_portal(customer=CustomerFactory(), return_url="https://rsolv.test/")

    def test_raises_when_stripe_is_unavailable(self, billing_env, customer):
        billing_env.stripe.control.add_fault("status", path="/v1/billing_portal/*", status=500, times=None)
        with pytest.raises(StripeUnavailable):
            open_billing_portal(customer=customer, return_url="https://rsolv.test/")
