from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Notice, UsageReport
from billing.plans import PAYG, TEAMS, TRIAL
from billing.selectors.standing import get_entitlement
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
from billing.services.subscriptions.note_plan import Author
from billing.services.subscriptions.resume_plan import cancel_at_period_end
from billing.stripe_gateway.errors import StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from customers.models import AuditEntry
from tests.billing.world import run_together
from tests.factories import CustomerFactory, MitigationFactory, UserFactory


def fix(world, customer, count=1):
    """Fixes that are stored, reported and settled at Stripe."""
    for _ in range(count):
        execution = MitigationFactory(repository__forge_account__customer=customer)
        with world.run_tasks():
            record_usage(customer=customer, execution=execution, occurred_at=world.now())
    UsageReport.objects.update(reported_at=timezone.now() - timedelta(hours=2))


def preview(world, customer, plan):
    return preview_change(customer=customer, plan=plan, at=world.now())


def change(world, customer, plan, token=None):
    token = token or preview(world, customer, plan).token
    change_plan(customer=customer, plan=plan, preview_token=token)


def list_totals(world):
    return [invoice["total"] for invoice in world.stripe.control.objects("invoice") if invoice["total"]]


class TestPreviewChange:
    def test_shows_usage_so_far_and_a_whole_month(self, world):
        customer = world.subscribe("payg")
        fix(world, customer, 2)
        world.stripe.control.advance(days=15)
        shown = preview(world, customer, TEAMS)
        assert shown.now_cents == shown.charge_cents == sum(line.amount_cents for line in shown.lines)
        assert shown.charge_cents == 3000 + 49900
        assert (shown.begins_period, shown.is_used_up) == (True, False)
        assert (shown.credit_cents, shown.kept_cents) == (0, 0)

    def test_a_downgrade_gives_back_what_is_not_used_up(self, world):
        customer = world.subscribe("teams")
        world.stripe.control.advance(days=10)
        shown = preview(world, customer, PAYG)
        assert (shown.now_cents, shown.charge_cents) == (0, 0)
        assert 0 < shown.kept_cents == shown.credit_cents < 49900

    def test_a_downgrade_gives_nothing_back_where_the_fixes_have_used_it_up(self, world):
        customer = world.subscribe("teams")
        fix(world, customer, 17)
        world.stripe.control.advance(days=15)
        shown = preview(world, customer, PAYG)
        assert (shown.is_used_up, shown.credit_cents, shown.kept_cents) == (True, 0, 0)

    def test_changes_nothing(self, world):
        customer = world.subscribe("payg")
        before = world.stripe.control.events()
        preview(world, customer, TEAMS)
        assert world.stripe.control.events() == before
        assert world.account(customer).plan == "payg"

    @pytest.mark.parametrize("plan", ["payg", "trial", "past due", "ending"])
    def test_is_refused_where_nothing_can_change(self, world, plan):
        customer = CustomerFactory() if plan == "trial" else world.subscribe("payg")
        if plan == "past due":
            world.account(customer).__class__.objects.update(status="past_due")
        if plan == "ending":
            cancel_at_period_end(customer=customer, at=timezone.now())
        with pytest.raises(PlanNotChangeable):
            preview(world, customer, PAYG if plan == "payg" else TEAMS)


class TestChangePlan:
    @pytest.mark.parametrize(("old", "new"), [("payg", TEAMS), ("teams", PAYG)])
    @pytest.mark.parametrize("minutes", [0, 10])
    def test_charges_to_the_cent_what_was_shown(self, world, old, new, minutes):
        customer = world.subscribe(old)
        fix(world, customer, 2)
        world.stripe.control.advance(days=11)
        shown = preview(world, customer, new)
        world.stripe.control.advance(60 * minutes)
        change(world, customer, new, shown.token)
        invoice = world.stripe.control.objects("invoice")[-1]
        assert (invoice["amount_paid"], invoice["total"]) == (
            shown.now_cents,
            shown.charge_cents - shown.credit_cents,
        )
        assert (world.account(customer).plan, world.account(customer).status) == (new.key, "active")

    def test_each_fix_is_billed_by_the_plan_of_its_moment(self, world):
        customer = world.subscribe("payg")
        fix(world, customer, 2)
        world.stripe.control.advance(days=1)
        change(world, customer, TEAMS)
        world.stripe.control.advance(60)
        fix(world, customer, 61)
        world.advance()
        upgrade, renewal = list_totals(world)
        assert upgrade == 3000 + 49900
        assert renewal == 49900 + 800

    def test_included_fixes_count_from_the_change(self, world):
        customer = world.subscribe("payg")
        fix(world, customer, 3)
        world.stripe.control.advance(days=1)
        change(world, customer, TEAMS)
        entitlement = get_entitlement(customer=customer)
        assert (entitlement.used, entitlement.remaining) == (0, 60)

    def test_credit_of_a_downgrade_pays_for_later_fixes(self, world):
        customer = world.subscribe("teams")
        world.stripe.control.advance(days=1)
        kept = preview(world, customer, PAYG).kept_cents
        change(world, customer, PAYG)
        world.stripe.control.advance(60)
        fix(world, customer, 2)
        world.advance()
        last = world.stripe.control.objects("invoice")[-1]
        assert (last["total"], last["amount_due"], last["ending_balance"]) == (3000, 0, 3000 - kept)

    def test_included_fixes_are_not_had_twice_for_one_price(self, world):
        customer = world.subscribe("teams")
        fix(world, customer, 40)
        world.stripe.control.advance(300)
        change(world, customer, PAYG)
        world.stripe.control.advance(300)
        change(world, customer, TEAMS)
        world.stripe.control.advance(300)
        fix(world, customer, 40)
        world.advance()
        assert sum(list_totals(world)) == 49900 + 49900 + 49900
        assert all(total >= 0 for total in list_totals(world))

    def test_what_is_beyond_the_included_is_billed_where_nothing_is_given_back(self, world):
        customer = world.subscribe("teams")
        fix(world, customer, 62)
        world.stripe.control.advance(days=1)
        shown = preview(world, customer, PAYG)
        change(world, customer, PAYG, shown.token)
        assert list_totals(world)[-1] == shown.now_cents == 1600

    def test_a_fix_that_uses_the_price_up_outdates_the_preview(self, world):
        customer = world.subscribe("teams")
        fix(world, customer, 16)
        world.stripe.control.advance(days=15)
        token = preview(world, customer, PAYG).token
        fix(world, customer, 1)
        with pytest.raises(PreviewOutdated):
            change(world, customer, PAYG, token)
        assert world.account(customer).plan == "teams"

    def test_there_and_back_again(self, world):
        customer = world.subscribe("payg")
        world.stripe.control.advance(days=1)
        change(world, customer, TEAMS)
        world.stripe.control.advance(days=1)
        change(world, customer, PAYG)
        assert world.account(customer).plan == "payg"
        assert len(world.stripe.control.objects("subscription")) == 1

    def test_confirming_twice_charges_once_and_tells_once(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        for _ in range(2):
            change(world, customer, TEAMS, token)
        assert len(list_totals(world)) == 1
        assert Notice.objects.filter(kind=Notice.Kind.PLAN_CHANGED).count() == 1

    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    def test_after_an_unknown_answer_confirming_again_charges_once(self, world, kind):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        world.stripe.control.add_fault(kind, method="POST", path="/v1/subscriptions/*", times=3)
        with pytest.raises(StripeUnavailable):
            change(world, customer, TEAMS, token)
        change(world, customer, TEAMS, token)
        assert (world.account(customer).plan, len(list_totals(world))) == ("teams", 1)

    def test_that_nobody_came_back_from_is_written_down_by_stripes_news(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        world.stripe.control.add_fault("cut_after", method="POST", path="/v1/subscriptions/*", times=3)
        with pytest.raises(StripeUnavailable):
            change(world, customer, TEAMS, token)
        world.deliver()
        written = AuditEntry.objects.filter(customer=customer, act="plan_changed").order_by("at")
        assert [each.subject for each in written] == ["Pay as you go, begun", "Pay as you go to Teams"]
        assert Notice.objects.filter(kind=Notice.Kind.PLAN_CHANGED).count() == 1

    def test_is_written_down_with_who_did_it(self, world):
        customer, user = world.subscribe("payg"), UserFactory()
        change_plan(
            customer=customer,
            plan=TEAMS,
            preview_token=preview(world, customer, TEAMS).token,
            by=Author(user, "192.0.2.7"),
        )
        world.deliver()
        entry = AuditEntry.objects.get(customer=customer, subject="Pay as you go to Teams")
        assert (entry.actor, entry.address) == (user, "192.0.2.7")

    def test_a_declined_card_changes_nothing(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        method = world.stripe.control.objects("payment_method")[0]["id"]
        world.stripe.control.set_card(method, "insufficient_funds")
        with pytest.raises(PaymentDeclined):
            change(world, customer, TEAMS, token)
        assert (world.account(customer).plan, world.account(customer).status) == ("payg", "active")
        assert list_totals(world) == []

    def test_a_bank_that_asks_for_the_person_leaves_the_invoice_open(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        method = world.stripe.control.objects("payment_method")[0]["id"]
        world.stripe.control.set_card(method, "authentication_required")
        change(world, customer, TEAMS, token)
        assert (world.account(customer).plan, world.account(customer).status) == ("teams", "past_due")
        assert world.stripe.control.objects("invoice")[-1]["status"] == "open"

    def test_fixes_on_their_way_are_reported_first(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        execution = MitigationFactory(repository__forge_account__customer=customer)
        record_usage(customer=customer, execution=execution, occurred_at=world.now())
        with pytest.raises(UsageStillUnreported):
            change(world, customer, TEAMS, token)
        assert len(world.stripe.control.meter_events()) == 1
        assert world.account(customer).plan == "payg"


class TestAToken:
    def test_of_another_customer_is_refused(self, world):
        alice, mallory = world.subscribe("payg"), world.subscribe("payg")
        with pytest.raises(PreviewOutdated):
            change(world, mallory, TEAMS, preview(world, alice, TEAMS).token)

    @pytest.mark.parametrize("token", ["", "made up", "eyJhIjoxfQ:1:x"])
    def test_that_is_not_ours_is_refused(self, world, token):
        customer = world.subscribe("payg")
        with pytest.raises(PreviewOutdated):
            change_plan(customer=customer, plan=TEAMS, preview_token=token)

    def test_that_is_too_old_is_refused(self, world, monkeypatch):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        monkeypatch.setattr(module, "PREVIEW_SECONDS", -1)
        with pytest.raises(PreviewOutdated):
            change(world, customer, TEAMS, token)

    def test_of_an_earlier_period_is_refused(self, world):
        customer = world.subscribe("payg")
        token = preview(world, customer, TEAMS).token
        for plan in (TEAMS, PAYG):
            world.stripe.control.advance(60)
            change(world, customer, plan)
        with pytest.raises(PreviewOutdated):
            change(world, customer, TEAMS, token)

    def test_for_another_plan_is_refused(self, world):
        customer = world.subscribe("payg")
        with pytest.raises(PreviewOutdated):
            change(world, customer, TRIAL, preview(world, customer, TEAMS).token)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_change_once(self, stripe_sandbox):
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
        assert Notice.objects.filter(kind=Notice.Kind.PLAN_CHANGED).count() == 1
