import pytest
from django.utils import timezone

from billing.models import Notification
from billing.plans import PAYG, TEAMS, TRIAL
from billing.selectors.entitlements import get_entitlement
from billing.services.metering.record_usage import record_usage
from billing.services.metering.settle_usage import UsageStillUnreported
from billing.services.subscriptions import change_plan as module
from billing.services.subscriptions.change_plan import (
    PaymentDeclined,
    PlanNotChangeable,
    PreviewOutdated,
    change_plan,
    preview_change,
)
from billing.services.subscriptions.choose_plan import choose_plan, open_subscription
from billing.services.subscriptions.record_plan_change import Author
from billing.services.subscriptions.resume_plan import cancel_at_period_end
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from customers.models import AuditLogEntry
from tests.billing.billing_env import run_together
from tests.factories import CustomerFactory, MitigationFactory, UserFactory


def fix(billing_env, customer, count=1):
    """Store and report fixes, and wait until Stripe has counted them."""
    for _ in range(count):
        execution = MitigationFactory(repository__forge_account__customer=customer)
        with billing_env.run_tasks():
            record_usage(customer=customer, execution=execution, occurred_at=billing_env.now())
    billing_env.pass_time(hours=2)


def preview(billing_env, customer, plan):
    return preview_change(customer=customer, plan=plan, at=billing_env.now())


def change(billing_env, customer, plan, token=None):
    token = token or preview(billing_env, customer, plan).token
    change_plan(customer=customer, plan=plan, preview_token=token)


def list_totals(billing_env):
    return [invoice["total"] for invoice in billing_env.stripe.control.objects("invoice") if invoice["total"]]


class TestPreviewChange:
    def test_shows_usage_so_far_and_a_whole_month(self, billing_env, customer):
        fix(billing_env, customer, 2)
        billing_env.stripe.control.advance(days=15)
        shown = preview(billing_env, customer, TEAMS)
        assert shown.now_cents == shown.charge_cents == sum(line.amount_cents for line in shown.lines)
        assert shown.charge_cents == 3000 + 49900
        assert (shown.begins_period, shown.is_used_up) == (True, False)
        assert (shown.credit_cents, shown.kept_cents) == (0, 0)

    def test_a_downgrade_credits_the_unused_part(self, billing_env):
        customer = billing_env.subscribe("teams")
        billing_env.stripe.control.advance(days=10)
        shown = preview(billing_env, customer, PAYG)
        assert (shown.now_cents, shown.charge_cents) == (0, 0)
        assert 0 < shown.kept_cents == shown.credit_cents < 49900

    def test_a_downgrade_credits_nothing_when_fixes_used_it_up(self, billing_env):
        customer = billing_env.subscribe("teams")
        fix(billing_env, customer, 17)
        billing_env.stripe.control.advance(days=15)
        shown = preview(billing_env, customer, PAYG)
        assert (shown.is_used_up, shown.credit_cents, shown.kept_cents) == (True, 0, 0)

    def test_changes_nothing(self, billing_env, customer):
        before = billing_env.stripe.control.events()
        preview(billing_env, customer, TEAMS)
        assert billing_env.stripe.control.events() == before
        assert billing_env.account(customer).plan == "payg"

    @pytest.mark.parametrize("plan", ["payg", "trial", "past due", "ending"])
    def test_is_rejected_when_the_plan_cannot_change(self, billing_env, plan):
        customer = CustomerFactory() if plan == "trial" else billing_env.subscribe("payg")
        if plan == "past due":
            billing_env.account(customer).__class__.objects.update(status="past_due")
        if plan == "ending":
            cancel_at_period_end(customer=customer, at=timezone.now())
        with pytest.raises(PlanNotChangeable):
            preview(billing_env, customer, PAYG if plan == "payg" else TEAMS)


class TestChangePlan:
    @pytest.mark.parametrize(("old", "new"), [("payg", TEAMS), ("teams", PAYG)])
    @pytest.mark.parametrize("minutes", [0, 10])
    def test_charges_exactly_the_previewed_amount(self, billing_env, old, new, minutes):
        customer = billing_env.subscribe(old)
        fix(billing_env, customer, 2)
        billing_env.stripe.control.advance(days=11)
        shown = preview(billing_env, customer, new)
        billing_env.stripe.control.advance(60 * minutes)
        change(billing_env, customer, new, shown.token)
        invoice = billing_env.stripe.control.objects("invoice")[-1]
        assert (invoice["amount_paid"], invoice["total"]) == (
            shown.now_cents,
            shown.charge_cents - shown.credit_cents,
        )
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            new.key,
            "active",
        )

    def test_bills_each_fix_by_the_plan_of_its_time(self, billing_env, customer):
        fix(billing_env, customer, 2)
        billing_env.stripe.control.advance(days=1)
        change(billing_env, customer, TEAMS)
        billing_env.stripe.control.advance(60)
        fix(billing_env, customer, 61)
        billing_env.close_month()
        upgrade, renewal = list_totals(billing_env)
        assert upgrade == 3000 + 49900
        assert renewal == 49900 + 800

    def test_included_fixes_count_from_the_change(self, billing_env, customer):
        fix(billing_env, customer, 3)
        billing_env.stripe.control.advance(days=1)
        change(billing_env, customer, TEAMS)
        entitlement = get_entitlement(customer=customer)
        assert (entitlement.used, entitlement.remaining) == (0, 60)

    def test_credit_of_a_downgrade_pays_for_later_fixes(self, billing_env):
        customer = billing_env.subscribe("teams")
        billing_env.stripe.control.advance(days=1)
        kept = preview(billing_env, customer, PAYG).kept_cents
        change(billing_env, customer, PAYG)
        billing_env.stripe.control.advance(60)
        fix(billing_env, customer, 2)
        billing_env.close_month()
        last = billing_env.stripe.control.objects("invoice")[-1]
        assert (last["total"], last["amount_due"], last["ending_balance"]) == (3000, 0, 3000 - kept)

    def test_does_not_grant_included_fixes_twice_for_one_price(self, billing_env):
        customer = billing_env.subscribe("teams")
        fix(billing_env, customer, 40)
        billing_env.stripe.control.advance(300)
        change(billing_env, customer, PAYG)
        billing_env.stripe.control.advance(300)
        change(billing_env, customer, TEAMS)
        billing_env.stripe.control.advance(300)
        fix(billing_env, customer, 40)
        billing_env.close_month()
        assert sum(list_totals(billing_env)) == 49900 + 49900 + 49900
        assert all(total >= 0 for total in list_totals(billing_env))

    def test_bills_fixes_beyond_the_included_when_nothing_is_credited(self, billing_env):
        customer = billing_env.subscribe("teams")
        fix(billing_env, customer, 62)
        billing_env.stripe.control.advance(days=1)
        shown = preview(billing_env, customer, PAYG)
        change(billing_env, customer, PAYG, shown.token)
        assert list_totals(billing_env)[-1] == shown.now_cents == 1600

    def test_a_fix_that_uses_up_the_price_invalidates_the_preview(self, billing_env):
        customer = billing_env.subscribe("teams")
        fix(billing_env, customer, 16)
        billing_env.stripe.control.advance(days=15)
        token = preview(billing_env, customer, PAYG).token
        fix(billing_env, customer, 1)
        with pytest.raises(PreviewOutdated):
            change(billing_env, customer, PAYG, token)
        assert billing_env.account(customer).plan == "teams"

    def test_changes_there_and_back(self, billing_env, customer):
        billing_env.stripe.control.advance(days=1)
        change(billing_env, customer, TEAMS)
        billing_env.stripe.control.advance(days=1)
        change(billing_env, customer, PAYG)
        assert billing_env.account(customer).plan == "payg"
        assert len(billing_env.stripe.control.objects("subscription")) == 1

    def test_confirming_twice_charges_and_notifies_once(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        for _ in range(2):
            change(billing_env, customer, TEAMS, token)
        assert len(list_totals(billing_env)) == 1
        assert Notification.objects.filter(kind=Notification.Kind.PLAN_CHANGED).count() == 1

    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    def test_after_an_unknown_answer_confirming_again_charges_once(self, billing_env, customer, kind):
        token = preview(billing_env, customer, TEAMS).token
        billing_env.stripe.control.add_fault(kind, method="POST", path="/v1/subscriptions/*", times=3)
        with pytest.raises(StripeUnavailable):
            change(billing_env, customer, TEAMS, token)
        change(billing_env, customer, TEAMS, token)
        assert (billing_env.account(customer).plan, len(list_totals(billing_env))) == ("teams", 1)

    def test_is_audited_by_the_webhook_when_the_page_was_left(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        billing_env.stripe.control.add_fault("cut_after", method="POST", path="/v1/subscriptions/*", times=3)
        with pytest.raises(StripeUnavailable):
            change(billing_env, customer, TEAMS, token)
        billing_env.deliver()
        written = AuditLogEntry.objects.filter(customer=customer, action="plan_changed").order_by("at")
        assert [each.subject for each in written] == ["Pay as you go, started", "Pay as you go to Teams"]
        assert Notification.objects.filter(kind=Notification.Kind.PLAN_CHANGED).count() == 1

    def test_is_audited_with_its_author(self, billing_env):
        customer, user = billing_env.subscribe("payg"), UserFactory()
        change_plan(
            customer=customer,
            plan=TEAMS,
            preview_token=preview(billing_env, customer, TEAMS).token,
            by=Author(user, "192.0.2.7"),
        )
        billing_env.deliver()
        entry = AuditLogEntry.objects.get(customer=customer, subject="Pay as you go to Teams")
        assert (entry.actor, entry.address) == (user, "192.0.2.7")

    def test_a_declined_card_changes_nothing(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        method = billing_env.stripe.control.objects("payment_method")[0]["id"]
        billing_env.stripe.control.set_card(method, "insufficient_funds")
        with pytest.raises(PaymentDeclined):
            change(billing_env, customer, TEAMS, token)
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "payg",
            "active",
        )
        assert list_totals(billing_env) == []

    def test_a_payment_that_needs_confirmation_leaves_the_invoice_open(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        method = billing_env.stripe.control.objects("payment_method")[0]["id"]
        billing_env.stripe.control.set_card(method, "authentication_required")
        change(billing_env, customer, TEAMS, token)
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "teams",
            "past_due",
        )
        assert billing_env.stripe.control.objects("invoice")[-1]["status"] == "open"

    def test_reports_pending_fixes_first(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        execution = MitigationFactory(repository__forge_account__customer=customer)
        record_usage(customer=customer, execution=execution, occurred_at=billing_env.now())
        with pytest.raises(UsageStillUnreported):
            change(billing_env, customer, TEAMS, token)
        assert len(billing_env.stripe.control.meter_events()) == 1
        assert billing_env.account(customer).plan == "payg"

    def test_is_rejected_if_the_plan_was_canceled_at_stripe_since(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        account = billing_env.account(customer)
        end = {"cancel_at": int(account.current_period_end.timestamp())}
        get_client().v1.subscriptions.update(account.subscription_id, end)
        with pytest.raises(PlanNotChangeable):
            change(billing_env, customer, TEAMS, token)
        assert billing_env.account(customer).plan == "payg"


class TestPreviewToken:
    def test_of_another_customer_is_rejected(self, billing_env):
        alice, mallory = billing_env.subscribe("payg"), billing_env.subscribe("payg")
        with pytest.raises(PreviewOutdated):
            change(billing_env, mallory, TEAMS, preview(billing_env, alice, TEAMS).token)

    @pytest.mark.parametrize("token", ["", "made up", "eyJhIjoxfQ:1:x"])
    def test_with_a_bad_signature_is_rejected(self, customer, token):
        with pytest.raises(PreviewOutdated):
            change_plan(customer=customer, plan=TEAMS, preview_token=token)

    def test_that_is_too_old_is_rejected(self, billing_env, customer, monkeypatch):
        token = preview(billing_env, customer, TEAMS).token
        monkeypatch.setattr(module, "PREVIEW_SECONDS", -1)
        with pytest.raises(PreviewOutdated):
            change(billing_env, customer, TEAMS, token)

    def test_of_an_earlier_period_is_rejected(self, billing_env, customer):
        token = preview(billing_env, customer, TEAMS).token
        for plan in (TEAMS, PAYG):
            billing_env.stripe.control.advance(60)
            change(billing_env, customer, plan)
        with pytest.raises(PreviewOutdated):
            change(billing_env, customer, TEAMS, token)

    def test_for_another_plan_is_rejected(self, billing_env, customer):
        with pytest.raises(PreviewOutdated):
            change(billing_env, customer, TRIAL, preview(billing_env, customer, TEAMS).token)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentRequests:
    def test_change_the_plan_once(self, stripe_sandbox):
        sync_plans()
        customer, at = CustomerFactory(), timezone.now()
        choose_plan(customer=customer, plan=PAYG, payment_method="pm_card_visa", at=at)
        open_subscription(customer_id=customer.pk)
        token = preview_change(customer=customer, plan=TEAMS, at=at).token

        def confirm():
            return change_plan(customer=customer, plan=TEAMS, preview_token=token)

        changed = run_together(confirm, confirm)
        assert [account.plan for account in changed] == ["teams", "teams"]
        paid = [each["total"] for each in stripe_sandbox.control.objects("invoice") if each["total"]]
        assert len(paid) == 1
        assert Notification.objects.filter(kind=Notification.Kind.PLAN_CHANGED).count() == 1
