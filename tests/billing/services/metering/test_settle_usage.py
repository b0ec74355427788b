import pytest
from django.utils import timezone

from billing.models import FeatureFlag
from billing.services.metering.pause_customer import pause_customer
from billing.services.metering.settle_usage import BillingIsPaused, UsageStillUnreported, settle_usage
from billing.services.set_feature_flag import set_feature_flag
from tests.billing.services.corrections.test_close_adjustment import void
from tests.billing.services.corrections.test_report_correction import fix, send


class TestSettleUsage:
    @pytest.fixture
    def report(self, billing_env, customer):
        return void(billing_env, fix(customer))

    def test_waits_for_an_adjustment_in_progress(self, customer, report):
        with pytest.raises(UsageStillUnreported):
            settle_usage(customer=customer)

    def test_waits_for_a_recent_adjustment(self, customer, report, settings):
        assert send(report).status == "done"
        with pytest.raises(UsageStillUnreported):
            settle_usage(customer=customer)
        settings.METER_SETTLE_SECONDS = 0
        settle_usage(customer=customer)


class TestSettleUsageWhileBillingIsPaused:
    def test_explains_what_to_do_instead_of_waiting(self, billing_env, customer):
        pause_customer(customer=customer, reason="look", at=timezone.now())
        fix(customer)
        with pytest.raises(BillingIsPaused) as rejection:
            settle_usage(customer=customer)
        assert "Cancel the plan at the end of its period" in rejection.value.message

    def test_explains_when_billing_is_off_for_all_customers(self, billing_env, customer):
        switch = FeatureFlag.Name.BILLING_ENABLED
        set_feature_flag(name=switch, is_on=False, reason="x", changed_by=None, at=timezone.now())
        fix(customer)
        with pytest.raises(BillingIsPaused):
            settle_usage(customer=customer)

    def test_allows_customer_without_pending_usage(self, billing_env, customer):
        pause_customer(customer=customer, reason="look", at=timezone.now())
        settle_usage(customer=customer)
