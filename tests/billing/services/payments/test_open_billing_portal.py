import pytest

from billing.services.payments.open_billing_portal import open_billing_portal
from billing.services.subscriptions.start_checkout import NoStripeCustomer
from billing.stripe_gateway.errors import StripeUnavailable
from tests.factories import CustomerFactory


class TestOpenBillingPortal:
    def test_gives_the_customers_own_page(self, billing_env, customer):
        url = open_billing_portal(customer=customer, return_url="https://rsolv.test/billing/")
        session = billing_env.stripe.control.objects("billing_portal.session")[0]
        assert session["url"] == url
        assert session["customer"] == billing_env.account(customer).stripe_customer_id

    def test_explains_what_to_do_without_a_stripe_customer(self, db):
        with pytest.raises(NoStripeCustomer):
            open_billing_portal(customer=CustomerFactory(), return_url="https://rsolv.test/")

    def test_raises_when_stripe_is_unavailable(self, billing_env, customer):
        billing_env.stripe.control.add_fault("status", path="/v1/billing_portal/*", status=500, times=None)
        with pytest.raises(StripeUnavailable):
            open_billing_portal(customer=customer, return_url="https://rsolv.test/")
