"""From a stored phase to a line on an invoice, for each plan."""

from billing.models import UsageRecord, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.sweep_billing import sweep_billing
from tests.scenario import ApiScenario


class TestPayAsYouGo:
    def test_one_fix_stored_twice_is_invoiced_once_at_15_dollars(self, billing_env):
        scenario = ApiScenario.begin(billing_env, "payg")
        scenario.store_fix(7)
        scenario.store_fix(7)
        assert UsageReport.objects.get().status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1
        scenario.close_month()
        newest = list_invoices(customer=scenario.customer, limit=5)[0]
        assert (newest.total_cents, newest.status, newest.fixes) == (1500, "paid", 1)

    def test_next_period_starts_at_zero(self, billing_env):
        scenario = ApiScenario.begin(billing_env, "payg")
        scenario.fix(2)
        assert get_entitlement(customer=scenario.customer).used == 2
        scenario.close_month()
        assert get_entitlement(customer=scenario.customer).used == 0

    def test_fix_reported_late_is_billed_and_shown_in_the_next_period(self, billing_env):
        scenario = ApiScenario.begin(billing_env, "payg")
        billing_env.stripe.control.add_fault(
            "status", path="/v1/billing/meter_events", status=500, times=None
        )
        scenario.fix(1)
        billing_env.pass_time(days=31, hours=2)
        billing_env.deliver()
        billing_env.stripe.control.clear_faults()
        with billing_env.run_tasks():
            sweep_billing()
        assert get_entitlement(customer=scenario.customer).used == 1
        scenario.close_month()
        assert [each.total_cents for each in list_invoices(customer=scenario.customer, limit=5)][:2] == [
            1500,
            0,
        ]


class TestTeams:
    def test_fixes_beyond_sixty_are_invoiced_at_8_dollars(self, billing_env):
        scenario = ApiScenario.begin(billing_env, "teams")
        scenario.fix(62)
        entitlement = get_entitlement(customer=scenario.customer)
        assert (entitlement.used, entitlement.remaining, entitlement.period_cents) == (62, 0, 49900 + 2 * 800)
        scenario.close_month()
        invoices = [
            (each.total_cents, each.fixes) for each in list_invoices(customer=scenario.customer, limit=5)
        ]
        assert invoices == [(49900 + 2 * 800, 62), (49900, 0)]


class TestTrial:
    def test_ten_fixes_are_free_and_the_eleventh_is_never_billed(self, billing_env):
        scenario = ApiScenario.begin(billing_env)
        scenario.fix(11)
        coverages = list(UsageRecord.objects.order_by("issue_number").values_list("coverage", flat=True))
        assert coverages == ["trial"] * 10 + ["unbilled"]
        entitlement = scenario.client.get("/api/v1/entitlement").json()
        assert (entitlement["canUseService"], entitlement["blockedReason"]) == (False, "trial_exhausted")
        billing_env.subscribe("payg", customer=scenario.customer)
        scenario.store_fix(11)
        assert billing_env.stripe.control.meter_events() == []
