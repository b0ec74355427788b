from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from django.utils import timezone

from billing.services.subscriptions.cancel_plan import NoPlanToCancel, cancel_plan
from billing.services.subscriptions.resume_plan import NothingToResume, cancel_at_period_end, resume_plan
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeUnavailable
from tests.factories import CustomerFactory


def cancel(customer):
    cancel_at_period_end(customer=customer, at=timezone.now())


def resume(customer):
    resume_plan(customer=customer, at=timezone.now())


def press_at_stripe(billing_env, customer, button):
    """Press a button of Stripe's own portal where it offers cancellation, and receive the events."""
    account, portal = billing_env.account(customer), get_client().v1.billing_portal
    offered = portal.configurations.create({"features": {"subscription_cancel": {"enabled": True}}})
    session = portal.sessions.create({"customer": account.stripe_customer_id, "configuration": offered.id})
    form = {"do": button, "subject": account.subscription_id}
    with urlopen(session.url, urlencode(form).encode()):
        billing_env.deliver()


class TestCancelAtPeriodEnd:
    def test_keeps_the_plan_until_the_period_end(self, billing_env):
        customer = billing_env.subscribe("teams")
        cancel(customer)
        account = billing_env.account(customer)
        assert (account.status, account.cancel_at) == ("active", account.current_period_end)
        billing_env.close_month()
        assert (billing_env.account(customer).status, billing_env.account(customer).cancel_at) == (
            "canceled",
            None,
        )

    def test_is_idempotent(self, billing_env):
        customer = billing_env.subscribe("teams")
        cancel(customer)
        before = billing_env.account(customer).cancel_at
        cancel(customer)
        assert billing_env.account(customer).cancel_at == before

    def test_is_rejected_without_a_plan(self, db):
        with pytest.raises(NoPlanToCancel):
            cancel(CustomerFactory())

    def test_changes_nothing_in_an_outage_and_succeeds_when_repeated(self, billing_env):
        customer = billing_env.subscribe("teams")
        billing_env.stripe.control.add_fault("cut_after", method="POST", path="/v1/subscriptions/*", times=3)
        with pytest.raises(StripeUnavailable):
            cancel(customer)
        assert billing_env.account(customer).cancel_at is None
        cancel(customer)
        assert billing_env.account(customer).cancel_at is not None


class TestResumePlan:
    def test_withdraws_a_cancellation(self, billing_env):
        customer = billing_env.subscribe("teams")
        cancel(customer)
        resume(customer)
        billing_env.close_month()
        assert (billing_env.account(customer).status, billing_env.account(customer).cancel_at) == (
            "active",
            None,
        )

    def test_works_more_than_once(self, billing_env):
        customer = billing_env.subscribe("teams")
        for _ in range(2):
            cancel(customer)
            resume(customer)
        assert billing_env.account(customer).cancel_at is None
        assert not billing_env.stripe.control.objects("subscription")[0]["cancel_at_period_end"]

    def test_withdraws_a_cancellation_made_at_stripe(self, billing_env):
        customer = billing_env.subscribe("teams")
        press_at_stripe(billing_env, customer, "cancel")
        account = billing_env.account(customer)
        assert account.cancel_at == account.current_period_end
        resume(customer)
        assert billing_env.account(customer).cancel_at is None
        billing_env.close_month()
        assert billing_env.account(customer).status == "active"

    def test_a_cancellation_made_in_both_places_is_withdrawn_by_one_click(self, billing_env):
        customer = billing_env.subscribe("teams")
        press_at_stripe(billing_env, customer, "cancel")
        cancel(customer)
        resume(customer)
        subscription = billing_env.stripe.control.objects("subscription")[0]
        assert (subscription["cancel_at"], subscription["cancel_at_period_end"]) == (None, False)

    def test_follows_one_that_was_withdrawn_at_stripe(self, billing_env):
        customer = billing_env.subscribe("teams")
        cancel(customer)
        press_at_stripe(billing_env, customer, "resume")
        assert billing_env.account(customer).cancel_at is None

    def test_makes_no_stripe_call_without_a_cancellation(self, billing_env):
        customer = billing_env.subscribe("teams")
        before = len(billing_env.stripe.control.requests())
        resume(customer)
        assert len(billing_env.stripe.control.requests()) == before

    def test_does_not_resume_a_plan_that_has_ended(self, customer):
        cancel_plan(customer=customer)
        with pytest.raises(NothingToResume):
            resume(customer)
