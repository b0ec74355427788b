"""One customer from the trial to a second subscription, with the amount at every step."""

from billing.models import Notification, UsageRecord
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.reconciliation.reconcile import reconcile
from tests.scenario import ApiScenario


class TestCustomerLifecycle:
    def test_charges_the_listed_prices_at_every_step(self, billing_env, alice_api):
        scenario = ApiScenario(billing_env=billing_env, client=alice_api, plan="trial")
        check_trial(scenario)
        check_upgrade(scenario)
        check_renewal(scenario)
        check_failed_renewal(scenario)
        credit_cents = check_downgrade(scenario)
        credit_cents = check_cancellation(scenario, credit_cents)
        check_second_subscription(scenario, credit_cents)
        assert reconcile(at=billing_env.now()).discrepancies.count() == 0


def check_trial(scenario):
    """Ten fixes are free; the eleventh is stored and never billed."""
    scenario.fix(10)
    assert get_entitlement(customer=scenario.customer).remaining == 0
    scenario.fix(1)
    answer = scenario.client.get("/api/v1/entitlement").json()
    assert (answer["canUseService"], answer["blockedReason"]) == (False, "trial_exhausted")
    assert list_invoices(customer=scenario.customer, limit=5) == []


def check_upgrade(scenario):
    """Teams costs $499 at once; of 61 fixes one is beyond the included 60."""
    scenario.choose_plan("teams")
    assert (scenario.read_status(), scenario.read_newest_invoice()) == (
        ("teams", "active"),
        ("paid", 49900, 0),
    )
    scenario.fix(60)
    assert get_entitlement(customer=scenario.customer).period_cents == 49900
    scenario.fix(1)
    assert get_entitlement(customer=scenario.customer).period_cents == 49900 + 800


def check_renewal(scenario):
    """The invoice charges the next month in advance and the one fix beyond the 60."""
    scenario.close_month()
    assert scenario.read_newest_invoice() == ("paid", 49900 + 800, 61)
    assert get_entitlement(customer=scenario.customer).used == 0


def check_failed_renewal(scenario):
    """The card fails and the plan stays usable; a payment makes it active again."""
    scenario.fail_card()
    assert (scenario.read_status(), scenario.read_newest_invoice()) == (
        ("teams", "past_due"),
        ("open", 49900, 0),
    )
    assert scenario.client.get("/api/v1/entitlement").json()["canUseService"]
    scenario.pay()
    assert (scenario.read_status(), scenario.read_newest_invoice()) == (
        ("teams", "active"),
        ("paid", 49900, 0),
    )
    sent = Notification.objects.filter(kind__in=("payment_failed", "recovered")).order_by("created_at")
    assert list(sent.values_list("kind", flat=True)) == ["payment_failed", "recovered"]


def check_downgrade(scenario):
    """Ten days into the month the rest of it is credited, to the cent of the preview."""
    scenario.pass_time(days=10)
    preview = scenario.change_plan("payg")
    assert (scenario.read_status(), preview.now_cents) == (("payg", "active"), 0)
    assert scenario.read_balance_cents() == preview.kept_cents == preview.credit_cents > 0
    return preview.kept_cents


def check_cancellation(scenario, credit_cents):
    """Two fixes at $15 are paid from the credit."""
    scenario.fix(2)
    assert get_entitlement(customer=scenario.customer).period_cents == 3000
    scenario.cancel_plan()
    assert (scenario.read_status(), scenario.read_newest_invoice()) == (
        ("payg", "canceled"),
        ("paid", 3000, 2),
    )
    assert scenario.read_balance_cents() == credit_cents - 3000
    assert not scenario.client.get("/api/v1/entitlement").json()["canUseService"]
    return credit_cents - 3000


def check_second_subscription(scenario, credit_cents):
    """A fix of the new subscription costs $15 at the end of the month; the ledger has every fix."""
    scenario.choose_plan("payg")
    assert scenario.read_status() == ("payg", "active")
    scenario.fix(1)
    scenario.close_month()
    assert scenario.read_newest_invoice() == ("paid", 1500, 1)
    assert scenario.read_balance_cents() == credit_cents - 1500
    covered = [UsageRecord.objects.filter(coverage=each).count() for each in ("trial", "unbilled", "metered")]
    assert covered == [10, 1, 64]
