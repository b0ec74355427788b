import pytest
from django.utils import timezone

from billing import services
from billing.models import BillingSwitch
from tests.billing.services.test_conclude_adjustment import void
from tests.billing.services.test_report_correction import fix, send


@pytest.fixture
def customer(world):
    return world.subscribe("payg")


class TestSettleUsage:
    @pytest.fixture
    def report(self, world, customer):
        return void(world, fix(customer))

    def test_waits_for_a_fix_that_is_being_taken_off(self, customer, report):
        with pytest.raises(services.UsageStillUnreported):
            services.settle_usage(customer=customer)

    def test_waits_for_one_that_was_taken_off_lately(self, customer, report, settings):
        assert send(report).status == "done"
        with pytest.raises(services.UsageStillUnreported):
            services.settle_usage(customer=customer)
        settings.METER_SETTLE_SECONDS = 0
        services.settle_usage(customer=customer)


class TestSettleUsageWhileBillingIsPaused:
    def test_says_what_to_do_instead_of_waiting(self, world, customer):
        services.pause_customer(customer=customer, reason="look", at=timezone.now())
        fix(customer)
        with pytest.raises(services.BillingIsPaused) as refusal:
            services.settle_usage(customer=customer)
        assert "End the plan with its period" in refusal.value.message

    def test_says_so_too_where_it_is_off_for_everybody(self, world, customer):
        switch = BillingSwitch.Name.BILLING_ENABLED
        services.turn_switch(name=switch, is_on=False, reason="x", changed_by=None, at=timezone.now())
        fix(customer)
        with pytest.raises(services.BillingIsPaused):
            services.settle_usage(customer=customer)

    def test_is_in_nobodys_way_who_owes_nothing(self, world, customer):
        services.pause_customer(customer=customer, reason="look", at=timezone.now())
        services.settle_usage(customer=customer)
