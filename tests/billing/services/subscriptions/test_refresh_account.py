import pytest

from billing.plans import PAYG, TEAMS
from billing.services.subscriptions import refresh_account as module
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.subscriptions import create_subscription


def make_subscription(name, status, created):
    return {"id": name, "status": status, "created": created}


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
    def test_follows_the_oldest_paid_one_that_runs_and_else_the_newest(self, first, second, followed):
        found = [(PAYG, make_subscription(*first)), (TEAMS, make_subscription(*second))]
        for order in (found, found[::-1]):
            _, chosen = module._choose(order)
            assert chosen["id"] == followed


class TestLateNews:
    @pytest.mark.parametrize("order", [1, -1], ids=["in order", "the newest first"])
    @pytest.mark.parametrize("is_second_ended", [True, False])
    def test_changes_nothing_of_what_stripe_says_now(self, world, order, is_second_ended):
        customer = world.subscribe("payg")
        client = get_client().v1
        client.subscriptions.cancel(world.account(customer).subscription_id)
        world.stripe.control.advance(5)
        second = create_subscription(
            stripe_customer_id=world.account(customer).stripe_customer_id, plan=TEAMS, wish="2", attempt=0
        )
        if is_second_ended:
            client.subscriptions.cancel(second.id)
        news = world._list_news()[::order]
        world.deliver(events=news + news)
        account = world.account(customer)
        status = "canceled" if is_second_ended else "active"
        assert (account.plan, account.subscription_id, account.status) == ("teams", second.id, status)
