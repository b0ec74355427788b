"""One customer from the trial to a second subscription, with the amount at every step."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils import timezone

from billing.models import Notification, UsageRecord
from billing.plans import PAYG, PLANS, TEAMS
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.reconciliation.reconcile import reconcile
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.change_plan import change_plan, preview_change
from billing.services.subscriptions.start_checkout import start_checkout
from billing.stripe_gateway.client import get_client
from tests.billing.billing_env import BillingEnv
from tests.billing.ledger import age_reports
from tests.conftest import ApiClient

STORE = "/api/v1/phases/store"


@dataclass
class Journey:
    billing_env: BillingEnv
    client: ApiClient
    issues: int = 0

    @property
    def customer(self):
        return self.client.customer

    def fix(self, count):
        """Fixes as an Action stores them, old enough that Stripe has summed them up."""
        for _ in range(count):
            self.issues += 1
            body = {
                "phase": "mitigation",
                "repo": "acme/shop",
                "commitSha": "c",
                "issueNumber": self.issues,
                "data": {"fixed": True},
            }
            with self.billing_env.run_tasks():
                assert self.client.post(STORE, body).status_code == 200
        age_reports(days=0.5)
        self.billing_env.stripe.control.advance(60)

    def check_out(self, plan):
        url = start_checkout(
            customer=self.customer, plan=plan, return_url="https://rsolv.test/", at=timezone.now()
        )
        self.billing_env.stripe.control.complete_checkout(urlsplit(url).path.rpartition("/")[2])
        self.billing_env.deliver()

    def change(self, plan):
        """Change as previewed; the preview."""
        preview = preview_change(customer=self.customer, plan=PLANS[plan], at=self.billing_env.now())
        change_plan(customer=self.customer, plan=PLANS[plan], preview_token=preview.token)
        self.billing_env.deliver()
        return preview

    def cancel(self):
        cancel_plan(customer=self.customer)
        self.billing_env.deliver()
        self.billing_env.stripe.control.advance(hours=2)
        self.billing_env.deliver()

    def set_card(self, behavior):
        for method in self.billing_env.stripe.control.objects("payment_method"):
            self.billing_env.stripe.control.set_card(method["id"], behavior)

    def pay(self):
        self.set_card("success")
        for invoice in self.billing_env.stripe.control.objects("invoice"):
            if invoice["status"] == "open":
                get_client().v1.invoices.pay(invoice["id"])
        self.billing_env.deliver()

    def standing(self):
        account = self.billing_env.account(self.customer)
        return account.plan, account.status

    def newest(self):
        """The newest invoice: its state, its total and the fixes that it charges for."""
        invoice = list_invoices(customer=self.customer, limit=1)[0]
        return invoice.status, invoice.total_cents, invoice.fixes

    def balance_cents(self):
        """What Stripe keeps for later invoices."""
        return -self.billing_env.stripe.control.objects("customer")[0]["balance"]


class TestACustomersLife:
    def test_costs_what_the_price_page_says_at_every_step(self, billing_env, alice_api):
        journey = Journey(billing_env, alice_api)
        check_trial(journey)
        check_upgrade(journey)
        check_renewal(journey)
        check_failed_renewal(journey)
        kept_cents = check_downgrade(journey)
        kept_cents = check_cancellation(journey, kept_cents)
        check_second_subscription(journey, kept_cents)
        assert reconcile(at=billing_env.now()).discrepancies.count() == 0


def check_trial(journey):
    """Ten fixes are free, and the eleventh is stored and never billed."""
    journey.fix(10)
    assert get_entitlement(customer=journey.customer).remaining == 0
    journey.fix(1)
    answer = journey.client.get("/api/v1/entitlement").json()
    assert (answer["canUseService"], answer["blockedReason"]) == (False, "trial_exhausted")
    assert list_invoices(customer=journey.customer, limit=5) == []


def check_upgrade(journey):
    """Teams costs $499 at once; of 61 fixes one is beyond what is included."""
    journey.check_out(TEAMS)
    assert (journey.standing(), journey.newest()) == (("teams", "active"), ("paid", 49900, 0))
    journey.fix(60)
    assert get_entitlement(customer=journey.customer).period_cents == 49900
    journey.fix(1)
    assert get_entitlement(customer=journey.customer).period_cents == 49900 + 800


def check_renewal(journey):
    """The next month in advance, and the one fix beyond the 60."""
    journey.billing_env.close_month()
    assert journey.newest() == ("paid", 49900 + 800, 61)
    assert get_entitlement(customer=journey.customer).used == 0


def check_failed_renewal(journey):
    """The card fails, work goes on, and all is well the moment it is paid."""
    journey.set_card("insufficient_funds")
    journey.billing_env.close_month()
    assert (journey.standing(), journey.newest()) == (("teams", "past_due"), ("open", 49900, 0))
    assert journey.client.get("/api/v1/entitlement").json()["canUseService"]
    journey.pay()
    assert (journey.standing(), journey.newest()) == (("teams", "active"), ("paid", 49900, 0))
    told = Notification.objects.filter(kind__in=("payment_failed", "recovered")).order_by("created_at")
    assert list(told.values_list("kind", flat=True)) == ["payment_failed", "recovered"]


def check_downgrade(journey):
    """Ten days into the month the rest of it is given back, to the cent of the preview."""
    journey.billing_env.stripe.control.advance(days=10)
    preview = journey.change("payg")
    assert (journey.standing(), preview.now_cents) == (("payg", "active"), 0)
    assert journey.balance_cents() == preview.kept_cents == preview.credit_cents > 0
    return preview.kept_cents


def check_cancellation(journey, kept_cents):
    """Two fixes at $15, paid by what was kept."""
    journey.fix(2)
    assert get_entitlement(customer=journey.customer).period_cents == 3000
    journey.cancel()
    assert (journey.standing(), journey.newest()) == (("payg", "canceled"), ("paid", 3000, 2))
    assert journey.balance_cents() == kept_cents - 3000
    assert not journey.client.get("/api/v1/entitlement").json()["canUseService"]
    return kept_cents - 3000


def check_second_subscription(journey, kept_cents):
    """A fix of the new subscription costs $15 at the month's end, and the ledger holds every one."""
    journey.check_out(PAYG)
    assert journey.standing() == ("payg", "active")
    journey.fix(1)
    journey.billing_env.close_month()
    assert journey.newest() == ("paid", 1500, 1)
    assert journey.balance_cents() == kept_cents - 1500
    covered = [UsageRecord.objects.filter(coverage=each).count() for each in ("trial", "unbilled", "metered")]
    assert covered == [10, 1, 64]
