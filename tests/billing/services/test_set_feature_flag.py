from django.utils import timezone

from billing.models import CorrectionReport, FeatureFlag, UsageReport
from billing.selectors.feature_flags import is_billing_enabled
from billing.selectors.invoices import list_invoices
from billing.services.corrections.correct_usage import correct_usage
from billing.services.metering.record_usage import record_usage
from billing.services.set_feature_flag import set_feature_flag
from billing.services.sweep_billing import sweep_billing
from tests.factories import UserFactory, make_mitigation_of

NAME = FeatureFlag.Name.BILLING_ENABLED


def turn(*, is_on):
    return set_feature_flag(
        name=NAME, is_on=is_on, reason="An incident.", changed_by=UserFactory(), at=timezone.now()
    )


def fix(customer):
    execution = make_mitigation_of(customer)
    return record_usage(customer=customer, execution=execution, occurred_at=timezone.now())


def count_sent(billing_env, path="/v1/billing"):
    sent = billing_env.stripe.control.requests()
    return sum(each["method"] == "POST" and each["path"].startswith(path) for each in sent)


class TestSetFeatureFlag:
    def test_is_on_by_default(self, db):
        assert is_billing_enabled()
        turn(is_on=False)
        assert not is_billing_enabled()
        turn(is_on=True)
        assert is_billing_enabled()

    def test_records_who_changed_it_and_why(self, db):
        switch = turn(is_on=False)
        assert (FeatureFlag.objects.count(), switch.reason) == (1, "An incident.")
        assert switch.changed_by is not None


class TestWhileBillingIsOff:
    def test_fixes_are_recorded_and_nothing_is_sent(self, billing_env, customer):
        turn(is_on=False)
        before = len(billing_env.stripe.control.requests())
        with billing_env.run_tasks():
            report = fix(customer).report
        report.refresh_from_db()
        assert (report.status, report.attempts) == ("pending", 0)
        assert len(billing_env.stripe.control.requests()) == before

    def test_corrections_wait_too(self, billing_env, customer):
        with billing_env.run_tasks():
            usage = fix(customer)
        turn(is_on=False)
        sent = count_sent(billing_env)
        with billing_env.run_tasks():
            correct_usage(usage=usage, kind="credit", reason="Slow.", made_by=None, at=timezone.now())
            sweep_billing()
        assert CorrectionReport.objects.get().attempts == 0
        assert count_sent(billing_env) == sent

    def test_the_sweep_enqueues_neither(self, billing_env, customer):
        turn(is_on=False)
        fix(customer)
        assert sweep_billing() == 0


class TestBillingTurnedBackOn:
    def test_sends_everything_once(self, billing_env, customer):
        turn(is_on=False)
        with billing_env.run_tasks():
            usages = [fix(customer) for _ in range(3)]
        with billing_env.run_tasks():
            turn(is_on=True)
        with billing_env.run_tasks():
            sweep_billing()
        identifiers = {event["identifier"] for event in billing_env.stripe.control.meter_events()}
        assert identifiers == {str(usage.pk) for usage in usages}
        assert len(billing_env.stripe.control.meter_events()) == 3

    def test_after_a_periods_end_bills_it_in_the_next(self, billing_env, customer):
        turn(is_on=False)
        fix(customer)
        billing_env.close_month()
        with billing_env.run_tasks():
            turn(is_on=True)
        assert UsageReport.objects.get().status == "reported"
        billing_env.close_month()
        assert [each.total_cents for each in list_invoices(customer=customer, limit=3)][:2] == [1500, 0]
