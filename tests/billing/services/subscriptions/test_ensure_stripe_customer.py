import pytest
from django.db import IntegrityError
from django.utils import timezone
from djstripe.models import Customer as StripeCustomer

from billing.models import BillingAccount, InboxEvent
from billing.plans import TEAMS
from billing.services.subscriptions.refresh_account import StripeCustomerTaken
from billing.services.subscriptions.start_checkout import start_checkout
from billing.stripe_gateway.client import SUBSCRIBER, get_client
from tests.factories import CustomerFactory


@pytest.fixture
def taken(billing_env, customer):
    """The id of the Stripe customer of `customer`."""
    return billing_env.account(customer).stripe_customer_id


def name_subscriber(stripe_customer_id, customer):
    """Let the Stripe customer name another of our customers, as an edit in Stripe's dashboard can."""
    named = {"email": customer.email, "metadata": {SUBSCRIBER: str(customer.pk)}}
    get_client().v1.customers.update(stripe_customer_id, named)


class TestStripeCustomerOfAnotherAccount:
    def test_is_rejected_by_the_database(self, taken):
        bob = CustomerFactory()
        BillingAccount.objects.get_or_create(customer=bob)
        with pytest.raises(IntegrityError):
            BillingAccount.objects.filter(pk=bob.pk).update(stripe_customer_id=taken)

    def test_is_not_used_for_a_checkout(self, billing_env, customer, taken):
        bob = CustomerFactory()
        name_subscriber(taken, bob)
        with pytest.raises(StripeCustomerTaken):
            start_checkout(customer=bob, plan=TEAMS, return_url="https://rsolv.test/", at=timezone.now())
        assert billing_env.account(bob).stripe_customer_id is None
        assert StripeCustomer.objects.get().subscriber_id == customer.pk

    @pytest.mark.parametrize("has_one", [True, False])
    def test_is_not_linked_by_a_webhook(self, billing_env, customer, taken, has_one):
        bob = CustomerFactory()
        BillingAccount.objects.get_or_create(customer=bob)
        if has_one:
            billing_env.subscribe("teams", customer=bob)
        before = billing_env.account(bob).stripe_customer_id
        name_subscriber(taken, bob)
        (event,) = billing_env.stripe.control.events("customer.updated")[-1:]
        billing_env.deliver(events=[event])
        row = InboxEvent.objects.get(pk=event["id"])
        assert (row.status, row.last_error.partition(":")[0]) == ("pending", "StripeCustomerTaken")
        assert billing_env.account(bob).stripe_customer_id == before
        assert StripeCustomer.objects.get(id=taken).subscriber_id == customer.pk
