from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import UsageReport
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
        UsageReport.objects.update(reported_at=timezone.now() - timedelta(minutes=3))
        billing_env.stripe.control.advance(60)
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"
        assert billing_env.stripe.control.objects("invoice")[-1]["total"] == 1500

    def test_waits_for_what_stripe_may_not_have_summed_yet(self, billing_env, customer):
        fix(billing_env, customer)
        with pytest.raises(UsageStillUnreported):
            cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "active"

    def test_twice_is_once(self, billing_env, customer):
        for _ in range(2):
            cancel_plan(customer=customer)
        assert len(billing_env.stripe.control.events("customer.subscription.deleted")) == 1

    def test_an_answer_that_was_lost_is_found_out(self, billing_env, customer):
        billing_env.stripe.control.add_fault("cut_after", method="DELETE", path="/v1/subscriptions/*")
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"

    def test_after_an_outage_asking_again_ends_it(self, billing_env, customer):
        billing_env.stripe.control.add_fault(
            "cut_before", method="DELETE", path="/v1/subscriptions/*", times=3
        )
        with pytest.raises(StripeUnavailable):
            cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "active"
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"

    def test_what_is_not_at_stripe_at_all_is_refused(self, billing_env):
        with pytest.raises(StripeRejected):
            cancel_subscription("sub_nobodys")
