"""From a stored phase to a line on an invoice, for each plan."""

from billing.models import UsageRecord, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.sweep_billing import sweep_billing
from tests.conftest import make_client
from tests.outbox import make_due

STORE = "/api/v1/phases/store"


def store_fixes(billing_env, client, numbers):
    for number in numbers:
        body = {
            "phase": "mitigation",
            "repo": "acme/shop",
            "commitSha": "c",
            "issueNumber": number,
            "data": {"fixed": True},
        }
        with billing_env.run_tasks():
            assert client.post(STORE, body).status_code == 200


class TestPayAsYouGo:
    def test_one_fix_stored_twice_is_invoiced_once_at_15_dollars(self, billing_env):
        customer = billing_env.subscribe("payg")
        client = make_client(customer)
        store_fixes(billing_env, client, [7, 7])
        assert UsageReport.objects.get().status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1
        billing_env.close_month()
        newest = list_invoices(customer=customer, limit=5)[0]
        assert (newest.total_cents, newest.status, newest.fixes) == (1500, "paid", 1)

    def test_the_next_period_starts_at_nothing(self, billing_env):
        customer = billing_env.subscribe("payg")
        store_fixes(billing_env, make_client(customer), [1, 2])
        assert get_entitlement(customer=customer).used == 2
        billing_env.close_month()
        assert get_entitlement(customer=customer).used == 0

    def test_a_fix_whose_report_was_late_is_billed_and_shown_in_the_new_period(self, billing_env):
        customer = billing_env.subscribe("payg")
        billing_env.stripe.control.add_fault(
            "status", path="/v1/billing/meter_events", status=500, times=None
        )
        store_fixes(billing_env, make_client(customer), [1])
        billing_env.close_month()
        billing_env.stripe.control.clear_faults()
        UsageReport.objects.update(meter_at=None, first_sent_at=None)
        make_due(UsageReport.objects.all())
        with billing_env.run_tasks():
            sweep_billing()
        assert get_entitlement(customer=customer).used == 1
        billing_env.close_month()
        assert [each.total_cents for each in list_invoices(customer=customer, limit=5)][:2] == [1500, 0]


class TestTeams:
    def test_fixes_beyond_sixty_are_invoiced_at_8_dollars(self, billing_env):
        customer = billing_env.subscribe("teams")
        store_fixes(billing_env, make_client(customer), range(1, 63))
        entitlement = get_entitlement(customer=customer)
        assert (entitlement.used, entitlement.remaining, entitlement.period_cents) == (62, 0, 49900 + 2 * 800)
        billing_env.close_month()
        invoices = [(each.total_cents, each.fixes) for each in list_invoices(customer=customer, limit=5)]
        assert invoices == [(49900 + 2 * 800, 62), (49900, 0)]


class TestTrial:
    def test_ten_fixes_are_free_and_the_eleventh_is_stored_and_never_billed(self, billing_env, alice_api):
        store_fixes(billing_env, alice_api, range(1, 12))
        coverages = list(UsageRecord.objects.order_by("issue_number").values_list("coverage", flat=True))
        assert coverages == ["trial"] * 10 + ["unbilled"]
        entitlement = alice_api.get("/api/v1/entitlement").json()
        assert (entitlement["canUseService"], entitlement["blockedReason"]) == (False, "trial_exhausted")
        billing_env.subscribe("payg", customer=alice_api.customer)
        store_fixes(billing_env, alice_api, [11])
        assert billing_env.stripe.control.meter_events() == []
