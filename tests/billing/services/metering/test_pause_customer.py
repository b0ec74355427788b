from django.utils import timezone

from billing.models import UsageReport
from billing.selectors.invoices import list_invoices
from billing.services.metering.pause_customer import pause_customer, resume_customer
from billing.services.metering.record_usage import record_usage
from billing.services.sweep_billing import sweep_billing
from tests.factories import make_mitigation_of


def pause(customer):
    return pause_customer(customer=customer, reason="A dispute.", at=timezone.now())


def resume(customer):
    return resume_customer(customer=customer, reason="Settled.", at=timezone.now())


def fix(customer):
    execution = make_mitigation_of(customer)
    return record_usage(customer=customer, execution=execution, occurred_at=timezone.now())


class TestPauseCustomer:
    def test_holds_back_reports_of_this_customer_only(self, billing_env, customer):
        other = billing_env.subscribe("payg")
        pause(customer)
        with billing_env.run_tasks():
            fix(customer)
            sent = fix(other)
        assert [event["identifier"] for event in billing_env.stripe.control.meter_events()] == [str(sent.pk)]

    def test_keeps_the_first_timestamp(self, customer):
        first = pause(customer).paused_at
        assert pause(customer).paused_at == first

    def test_is_skipped_by_the_sweep(self, billing_env, customer):
        pause(customer)
        fix(customer)
        assert sweep_billing() == 0


class TestResumeCustomer:
    def test_sends_pending_reports_once(self, billing_env, customer):
        pause(customer)
        with billing_env.run_tasks():
            fix(customer)
            fix(customer)
        with billing_env.run_tasks():
            resume(customer)
        with billing_env.run_tasks():
            sweep_billing()
        assert len(billing_env.stripe.control.meter_events()) == 2

    def test_after_a_periods_end_bills_it_in_the_next(self, billing_env, customer):
        pause(customer)
        fix(customer)
        billing_env.close_month()
        with billing_env.run_tasks():
            resume(customer)
        assert UsageReport.objects.get().status == "reported"
        billing_env.close_month()
        assert list_invoices(customer=customer, limit=1)[0].total_cents == 1500
