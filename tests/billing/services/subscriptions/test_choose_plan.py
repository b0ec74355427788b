import dataclasses

import pytest
from django.utils import timezone

from billing.models import SubscriptionRequest
from billing.plans import PAYG, PLANS, TEAMS
from billing.services.subscriptions.cancel_plan import NoPlanToCancel, cancel_plan
from billing.services.subscriptions.choose_plan import (
    PlanAlreadyChosen,
    PlanStillOpening,
    choose_plan,
    open_subscription,
)
from billing.services.sweep_billing import sweep_billing
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.customers import create_customer
from billing.stripe_gateway.errors import NotSetUp
from billing.stripe_gateway.prices import find_price_ids, sync_plans
from billing.stripe_gateway.subscriptions import create_subscription
from core.outbox import leases, operators
from tests.factories import CustomerFactory
from tests.outbox import make_due


def sweep(billing_env):
    make_due(SubscriptionRequest.objects.all())
    with billing_env.run_tasks():
        sweep_billing()


class TestChoosePlan:
    @pytest.mark.parametrize("plan", ["payg", "teams"])
    def test_opens_the_subscription_and_takes_its_period(self, billing_env, plan):
        account = billing_env.account(billing_env.subscribe(plan))
        assert (account.plan, account.status) == (plan, "active")
        assert account.current_period_start < account.current_period_end

    def test_choosing_the_same_plan_again_subscribes_once(self, billing_env, customer):
        billing_env.subscribe("payg", customer=customer)
        assert len(billing_env.stripe.control.objects("subscription")) == 1

    def test_another_plan_is_rejected_while_one_is_active(self, customer):
        with pytest.raises(PlanAlreadyChosen):
            choose_plan(customer=customer, plan=TEAMS, at=timezone.now())

    @pytest.mark.parametrize("path", ["/v1/customers", "/v1/payment_methods/*", "/v1/subscriptions"])
    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    def test_the_sweep_completes_it_after_any_outage_and_subscribes_once(self, billing_env, path, kind):
        billing_env.stripe.control.add_fault(kind, method="POST", path=path, times=3)
        customer = billing_env.subscribe("payg")
        assert billing_env.account(customer).status == "pending"
        sweep(billing_env)
        assert billing_env.account(customer).status == "active"
        assert len(billing_env.stripe.control.objects("subscription")) == 1
        assert len(billing_env.stripe.control.objects("customer")) == 1

    def test_a_declined_card_leaves_no_plan(self, billing_env):
        customer = billing_env.subscribe("payg", card="pm_card_chargeDeclined")
        assert billing_env.account(customer).status == "canceled"
        request = SubscriptionRequest.objects.get()
        assert (request.status, request.payment_method) == ("rejected", "")

    def test_an_active_plan_does_not_keep_the_payment_method(self, billing_env):
        billing_env.subscribe("payg")
        request = SubscriptionRequest.objects.get()
        assert (request.status, request.payment_method) == ("done", "")

    def test_an_outage_reschedules_it_with_the_error(self, billing_env):
        billing_env.stripe.control.add_fault("status", path="/v1/subscriptions", status=500, times=None)
        billing_env.subscribe("payg")
        request = SubscriptionRequest.objects.get()
        assert (request.status, request.next_attempt_at > timezone.now()) == ("pending", True)
        assert request.last_error.startswith("StripeUnavailable: ")

    def test_skips_a_request_leased_by_another_worker(self, billing_env, django_capture_on_commit_callbacks):
        customer = CustomerFactory()
        with django_capture_on_commit_callbacks():
            choose_plan(customer=customer, plan=PAYG, at=timezone.now())
        leases.claim(SubscriptionRequest.objects.all(), pk=customer.pk)
        open_subscription(customer_id=customer.pk)
        assert billing_env.stripe.control.objects("subscription") == []

    def test_is_not_chosen_again_while_a_worker_has_the_first_request(self, billing_env, customer):
        cancel_plan(customer=customer)
        operators.reopen(SubscriptionRequest.objects.all(), at=timezone.now())
        leases.claim(SubscriptionRequest.objects.all(), pk=customer.pk)
        with pytest.raises(PlanStillOpening):
            choose_plan(customer=customer, plan=TEAMS, at=timezone.now())
        assert billing_env.account(customer).status == "canceled"

    def test_a_cancelled_customer_can_choose_again(self, billing_env, customer):
        cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "canceled"
        billing_env.subscribe("teams", customer=customer)
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "teams",
            "active",
        )

    def test_cancelling_without_a_plan_is_rejected(self, db):
        with pytest.raises(NoPlanToCancel):
            cancel_plan(customer=CustomerFactory())


class TestFirstPaymentRequiresAction:
    def test_does_not_create_a_second_subscription(self, billing_env):
        customer = billing_env.subscribe("teams", card="pm_card_chargeCustomerFail")
        assert billing_env.account(customer).status == "unpaid"
        billing_env.subscribe("teams", customer=customer)
        with pytest.raises(PlanAlreadyChosen):
            choose_plan(customer=customer, plan=PAYG, at=timezone.now())
        assert len(billing_env.stripe.control.objects("subscription")) == 1


class TestConfigurationErrors:
    def test_a_rejected_key_leaves_the_plan_pending(self, billing_env, settings):
        billing_env.stripe.control.add_fault("status", path="/v1/customers", status=401, times=None)
        customer = billing_env.subscribe("payg")
        assert billing_env.account(customer).status == "pending"

    def test_a_changed_price_is_created_again(self, billing_env, monkeypatch):
        dearer = dataclasses.replace(PAYG, unit_price_cents=2000)
        monkeypatch.setitem(PLANS, "payg", dearer)
        before = find_price_ids(PAYG)
        sync_plans()
        assert find_price_ids(PAYG) != before


class TestPastDue:
    def test_a_failed_renewal_is_past_due_and_paying_recovers(self, billing_env):
        customer = billing_env.subscribe("teams")
        method = billing_env.stripe.control.objects("payment_method")[0]["id"]
        billing_env.stripe.control.set_card(method, "insufficient_funds")
        billing_env.close_month()
        assert billing_env.account(customer).status == "past_due"
        billing_env.stripe.control.set_card(method, "success")
        billing_env.stripe.control.advance(days=8)
        billing_env.deliver()
        assert billing_env.account(customer).status == "active"


class TestSyncPlans:
    def test_is_idempotent(self, billing_env):
        before = billing_env.stripe.control.state()
        assert sync_plans() == sync_plans()
        assert billing_env.stripe.control.state() == before

    def test_changes_the_portals_configuration_back_and_leaves_others_alone(self, billing_env):
        (ours,) = billing_env.stripe.control.objects("billing_portal.configuration")
        client = get_client().v1.billing_portal.configurations
        other = client.create({"features": {"subscription_cancel": {"enabled": True}}})
        client.update(ours["id"], {"features": {"subscription_cancel": {"enabled": True}}})
        assert sync_plans()["billing_portal"] == ours["id"]
        found = billing_env.stripe.control.objects("billing_portal.configuration")
        enabled = {each["id"]: each["features"]["subscription_cancel"]["enabled"] for each in found}
        assert enabled == {ours["id"]: False, other.id: True}

    def test_a_subscription_without_it_is_rejected_with_an_explanation(self, stripe_sandbox, db):
        made = create_customer(customer_id=str(CustomerFactory().pk), name="A", email="a@b.test", attempt=1)
        with pytest.raises(NotSetUp, match="sync_plans"):
            create_subscription(stripe_customer_id=made, plan=PAYG, request_key="1", attempt=1)
