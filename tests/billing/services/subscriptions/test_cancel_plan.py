import pytest
from django.utils import timezone

from billing.services.metering.record_usage import record_usage
from billing.services.metering.settle_usage import UsageStillUnreported
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.subscriptions import cancel_subscription
from tests.factories import make_mitigation_of


def fix(billing_env, customer):
    with billing_env.run_tasks():
        record_usage(customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now())


class TestCancelPlan:
    def test_ends_it_now_and_invoices_what_was_used(self, billing_env, customer):
        fix(billing_env, customer)
        billing_env.pass_time(minutes=3)
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"
        assert billing_env.stripe.control.objects("invoice")[-1]["total"] == 1500

    def test_waits_for_usage_that_stripe_may_not_have_summed(self, billing_env, customer):
        fix(billing_env, customer)
        with pytest.raises(UsageStillUnreported):
            cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "active"

    def test_is_idempotent(self, billing_env, customer):
        for _ in range(2):
            cancel_plan(customer=customer)
        assert len(billing_env.stripe.control.events("customer.subscription.deleted")) == 1

    def test_finds_out_the_outcome_of_a_lost_answer(self, billing_env, customer):
        billing_env.stripe.control.add_fault("cut_after", method="DELETE", path="/v1/subscriptions/*")
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"

    def test_ends_it_when_repeated_after_an_outage(self, billing_env, customer):
        billing_env.stripe.control.add_fault(
            "cut_before", method="DELETE", path="/v1/subscriptions/*", times=3
        )
        with pytest.raises(StripeUnavailable):
            cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "active"
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"

    def test_rejects_a_plan_that_is_missing_at_stripe(self, billing_env):
        with pytest.raises(StripeRejected):
            cancel_subscription("sub_nobodys")
