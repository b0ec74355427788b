from datetime import timedelta

import pytest

from billing.models import UsageReport
from billing.selectors.explained_invoice import explain_invoice
from billing.selectors.invoices import list_invoices
from billing.stripe_gateway.client import get_client
from tests.billing.services.corrections.test_report_correction import (
    ADJUSTMENTS,
    correct,
    end_at,
    fix,
    list_credits,
    list_totals,
    send,
)


def void(billing_env, usage, kind="cut_before"):
    """Void a fix while Stripe's responses are lost, so that the adjustment is retried later."""
    billing_env.pass_time(minutes=5)
    billing_env.stripe.control.add_fault(kind, path=ADJUSTMENTS, times=None)
    report = send(correct(usage))
    billing_env.stripe.control.clear_faults()
    assert (report.status, report.resolution) == ("pending", "adjustment")
    return report


def end_at_stripe(billing_env, customer):
    """Cancel a subscription at Stripe only, as from its dashboard."""
    client = get_client().v1.subscriptions
    client.cancel(billing_env.account(customer).subscription_id, {"invoice_now": True})
    billing_env.stripe.control.advance(hours=2)


class TestAdjustmentAfterPlanEnded:
    @pytest.mark.parametrize("is_heard", [True, False], ids=["heard of", "not heard of"])
    def test_credits_what_the_last_invoice_charged(self, billing_env, customer, is_heard):
        report = void(billing_env, fix(customer))
        end_at_stripe(billing_env, customer)
        if is_heard:
            billing_env.deliver()
        assert (send(report).resolution, report.amount_cents) == ("credit", 1500)
        assert (send(report).status, list_credits(billing_env, customer)) == ("done", [1500])
        assert UsageReport.objects.get().status == "withdrawn"

    def test_credits_nothing_that_was_refunded(self, billing_env, customer):
        report = void(billing_env, fix(customer))
        end_at_stripe(billing_env, customer)
        (charge,) = billing_env.stripe.control.objects("charge")
        get_client().v1.refunds.create({"charge": charge["id"]})
        assert (send(report).resolution, report.status) == ("adjustment", "done")
        assert list_credits(billing_env, customer) == []

    def test_waits_for_the_outcome_of_a_dispute(self, billing_env, customer):
        report = void(billing_env, fix(customer))
        end_at_stripe(billing_env, customer)
        (charge,) = billing_env.stripe.control.objects("charge")
        dispute = billing_env.stripe.control.dispute(charge["id"])
        assert send(report).last_error == "waiting for the outcome of a dispute"
        billing_env.stripe.control.close_dispute(dispute["id"], won=True)
        assert (send(send(report)).status, list_credits(billing_env, customer)) == ("done", [1500])

    def test_credits_nothing_when_the_adjustment_succeeded_before(self, billing_env, customer):
        fix(customer)
        report = void(billing_env, fix(customer), "cut_after")
        end_at_stripe(billing_env, customer)
        assert (send(report).resolution, report.status) == ("adjustment", "done")
        assert list_credits(billing_env, customer) == []

    def test_credits_each_of_two_that_are_alike(self, billing_env, customer):
        reports = [void(billing_env, fix(customer)) for _ in range(2)]
        fix(customer)
        end_at_stripe(billing_env, customer)
        for report in reports:
            send(send(report))
        assert list_credits(billing_env, customer) == [1500, 1500]

    def test_counts_among_the_fixes_of_its_invoice(self, billing_env, customer):
        report = void(billing_env, fix(customer))
        end_at_stripe(billing_env, customer)
        billing_env.deliver()
        send(send(report))
        (invoice,) = [each for each in list_invoices(customer=customer, limit=5) if each.total_cents]
        assert explain_invoice(customer=customer, invoice_id=invoice.reference).agrees

    def test_waits_while_the_invoice_is_a_draft(self, billing_env, customer):
        period_end = int(billing_env.account(customer).current_period_end.timestamp())
        billing_env.stripe.control.set_to(period_end - 3600)
        report = void(billing_env, fix(customer))
        billing_env.stripe.control.set_to(period_end + 60)
        assert send(report).last_error == "waiting for the period's invoice"


class TestAdjustmentOfFixInLastSecondsOfPlan:
    """Stripe counts whole seconds: a plan does not bill fixes of the second in which it ends."""

    @pytest.mark.parametrize(
        ("earlier", "charged", "credits"), [(0, 0, []), (1, 1500, [1500])], ids=["very second", "one before"]
    )
    def test_credits_exactly_what_was_charged(self, billing_env, customer, earlier, charged, credits):
        end = billing_env.now() + timedelta(minutes=2)
        report = void(billing_env, fix(customer, at=end - timedelta(seconds=earlier - 0.4)))
        end_at(billing_env, customer, end)
        assert list_totals(customer)[0] == charged
        assert (send(send(report)).status, list_credits(billing_env, customer)) == ("done", credits)
        assert UsageReport.objects.get().status == "withdrawn"
