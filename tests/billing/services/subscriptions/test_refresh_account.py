from datetime import UTC, datetime

import pytest

from billing.plans import PAYG, TEAMS
from billing.services.subscriptions.change_plan import change_plan, preview_change
from billing.services.subscriptions.refresh_account import choose_subscription
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.snapshots import SubscriptionSnapshot
from billing.stripe_gateway.subscriptions import create_subscription


def make_subscription(name, status, created):
    created_at = datetime.fromtimestamp(created, UTC)
    return SubscriptionSnapshot(
        subscription_id=name,
        stripe_customer_id="cus_1",
        status=status,
        plan=PAYG,
        price_ids=(),
        monthly_cents=0,
        created_at=created_at,
        started_at=created_at,
        anchor_at=created_at,
        current_period_start=None,
        current_period_end=None,
        cancel_at=None,
        ended_at=None,
        chosen_by="",
    )


class TestChoose:
    @pytest.mark.parametrize(
        ("first", "second", "followed"),
        [
            (("a", "active", 1), ("b", "active", 2), "a"),
            (("b", "active", 1), ("a", "active", 1), "a"),
            (("a", "past_due", 1), ("b", "active", 2), "a"),
            (("a", "unpaid", 1), ("b", "active", 2), "b"),
            (("a", "unpaid", 1), ("b", "incomplete", 2), "a"),
            (("a", "active", 1), ("b", "canceled", 2), "a"),
            (("a", "canceled", 1), ("b", "active", 2), "b"),
            (("a", "canceled", 1), ("b", "canceled", 2), "b"),
        ],
    )
    def test_prefers_the_oldest_active_one_and_else_the_newest(self, first, second, followed):
        found = [make_subscription(*first), make_subscription(*second)]
        for order in (found, found[::-1]):
            assert choose_subscription(order).subscription_id == followed


class TestDelayedEvents:
    @pytest.mark.parametrize("order", [1, -1], ids=["in order", "the newest first"])
    @pytest.mark.parametrize("is_second_ended", [True, False])
    def test_does_not_change_the_current_state(self, billing_env, customer, order, is_second_ended):
        client = get_client().v1
        client.subscriptions.cancel(billing_env.account(customer).subscription_id)
        billing_env.stripe.control.advance(5)
        second = create_subscription(
            stripe_customer_id=billing_env.account(customer).stripe_customer_id,
            plan=TEAMS,
            request_key="2",
            attempt=0,
        )
        if is_second_ended:
            client.subscriptions.cancel(second.subscription_id)
        news = billing_env.list_undelivered_events()[::order]
        billing_env.deliver(events=news + news)
        account = billing_env.account(customer)
        status = "canceled" if is_second_ended else "active"
        followed = (account.plan, account.subscription_id, account.status)
        assert followed == ("teams", second.subscription_id, status)


class TestPeriod:
    def read_item(self, billing_env):
        return billing_env.stripe.control.objects("subscription")[0]["items"]["data"][0]

    def test_starts_with_the_subscription_although_its_items_are_created_later(self, billing_env, customer):
        item = self.read_item(billing_env)
        assert item["created"] == item["current_period_start"] + 1
        account = billing_env.account(customer)
        assert account.current_period_start.timestamp() == item["current_period_start"]

    def test_of_an_upgrade_starts_with_its_new_month(self, billing_env, customer):
        billing_env.stripe.control.advance(days=3)
        token = preview_change(customer=customer, plan=TEAMS, at=billing_env.now()).token
        change_plan(customer=customer, plan=TEAMS, preview_token=token)
        account = billing_env.account(customer)
        start = self.read_item(billing_env)["current_period_start"]
        assert account.current_period_start.timestamp() == start
