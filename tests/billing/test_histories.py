"""Any order, any duplication and any delay of Stripe's news gives the same state."""

from contextlib import suppress

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import InboxEvent, Notification, PaymentIncident
from tests.billing.histories import STEPS, Life

few = settings(max_examples=3, deadline=None)


class Undo(Exception):
    """Ends a transaction whose work is not to stay."""


def read_account(life):
    account = life.billing_env.account(life.customer)
    names = ("plan", "status", "subscription_id", "current_period_start", "current_period_end")
    return {name: getattr(account, name) for name in (*names, "cancel_at", "past_due_since")}


def read_state(life):
    """All that news may change, so that two orders can be compared."""
    notifications = Notification.objects.filter(customer=life.customer).values_list("kind", "reference")
    incidents = PaymentIncident.objects.filter(customer=life.customer)
    return (
        read_account(life),
        sorted(notifications),
        sorted(incidents.values_list("stripe_id", "kind", "amount_cents", "status")),
        InboxEvent.objects.filter(processed_at=None).count(),
    )


def read_after(life, events):
    """The state that news in this order leaves behind; then all is as before."""
    with suppress(Undo), transaction.atomic():
        life.billing_env.deliver(events=events)
        state = read_state(life)
        raise Undo
    return state


def read_id(event):
    return event["id"]


def deliver(life, events):
    if events:
        life.billing_env.deliver(events=events)


@st.composite
def arrange(draw, events):
    """All of them in any order, some of them twice."""
    again = draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    return draw(st.permutations(events + again))


HISTORIES = [
    ("fail", "pay", "refund"),
    ("change", "fail", "cancel", "resubscribe"),
    ("end_later", "resubscribe", "change"),
]


class TestNewsThatComesAllAtOnce:
    @pytest.mark.parametrize("history", HISTORIES, ids="-".join)
    def test_gives_one_state_in_any_order(self, billing_env, history):
        life = Life.begin(billing_env)
        for step in history:
            life.live(step)
        events = life.list_news()
        expected = read_after(life, events)

        @few
        @given(arrange(list(range(len(events)))))
        def check(order):
            assert read_after(life, [events[number] for number in order]) == expected

        check()
        account, _, incidents, unprocessed = expected
        assert (account["plan"], account["status"], unprocessed) == (life.plan, life.status, 0)
        assert len(incidents) == life.refunds


class TestNewsThatComesInBetween:
    def test_gives_the_state_that_the_history_has(self, billing_env):
        """A history of any steps; after each a part of the news comes, and the rest past the end."""

        @few
        @given(st.data())
        def check(data):
            life, late = Life.begin(billing_env), []
            for _ in range(data.draw(st.integers(1, 4))):
                life.live(data.draw(st.sampled_from(STEPS[life.status])))
                news = late + life.list_news()
                late = data.draw(st.lists(st.sampled_from(news), unique_by=read_id)) if news else []
                held = set(map(read_id, late))
                deliver(life, data.draw(arrange([each for each in news if read_id(each) not in held])))
            deliver(life, data.draw(arrange(late)))
            account = read_account(life)
            assert (account["plan"], account["status"]) == (life.plan, life.status)
            assert (account["past_due_since"] is not None) == (life.status == "past_due")
            assert PaymentIncident.objects.filter(customer=life.customer).count() == life.refunds
            assert not InboxEvent.objects.filter(processed_at=None).exists()

        check()
