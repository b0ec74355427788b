"""Any order, duplication and delay of Stripe's events gives the same state."""

from contextlib import suppress

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import InboxEvent, Notification, PaymentIncident
from tests.scenario import StripeScenario

# What may follow while a subscription is active, past due or canceled.
STEPS = {
    "active": ("fail_card", "change_plan", "cancel_plan_at_period_end", "cancel_plan", "refund"),
    "past_due": ("pay", "cancel_plan"),
    "canceled": ("choose_plan",),
}

few = settings(max_examples=3, deadline=None)


class Undo(Exception):
    """Raised to roll back a transaction."""


def read_account(scenario):
    account = scenario.billing_env.account(scenario.customer)
    names = ("plan", "status", "subscription_id", "current_period_start", "current_period_end")
    return {name: getattr(account, name) for name in (*names, "cancel_at", "past_due_since")}


def read_state(scenario):
    """Return all state that events may change, to compare two orders."""
    notifications = Notification.objects.filter(customer=scenario.customer).values_list("kind", "reference")
    incidents = PaymentIncident.objects.filter(customer=scenario.customer)
    return (
        read_account(scenario),
        sorted(notifications),
        sorted(incidents.values_list("stripe_id", "kind", "amount_cents", "status")),
        InboxEvent.objects.filter(processed_at=None).count(),
    )


def read_after(scenario, events):
    """Return the state after events in this order, and roll back to the state before them."""
    with suppress(Undo), transaction.atomic():
        scenario.billing_env.deliver(events=events)
        state = read_state(scenario)
        raise Undo
    return state


def read_id(event):
    return event["id"]


def deliver(scenario, events):
    if events:
        scenario.billing_env.deliver(events=events)


@st.composite
def arrange(draw, events):
    """Return all events in any order, some of them twice."""
    again = draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    return draw(st.permutations(events + again))


HISTORIES = [
    ("fail_card", "pay", "refund"),
    ("change_plan", "fail_card", "cancel_plan", "choose_plan"),
    ("cancel_plan_at_period_end", "choose_plan", "change_plan"),
]


class TestEventsThatArriveTogether:
    @pytest.mark.parametrize("history", HISTORIES, ids="-".join)
    def test_give_one_state_in_any_order(self, billing_env, history):
        scenario = StripeScenario.begin(billing_env, "teams")
        for step in history:
            scenario.run(step)
        events = scenario.take_events()
        expected = read_after(scenario, events)

        @few
        @given(arrange(list(range(len(events)))))
        def check(order):
            assert read_after(scenario, [events[number] for number in order]) == expected

        check()
        account, _, incidents, unprocessed = expected
        assert (account["plan"], account["status"], unprocessed) == (scenario.plan, scenario.status, 0)
        assert len(incidents) == scenario.refunds


class TestEventsThatArriveLate:
    def test_give_the_state_at_stripe(self, billing_env):
        """Some events arrive after each step, and the rest after the last step."""

        @few
        @given(st.data())
        def check(data):
            scenario, late = StripeScenario.begin(billing_env, "teams"), []
            for _ in range(data.draw(st.integers(1, 4))):
                scenario.run(data.draw(st.sampled_from(STEPS[scenario.status])))
                events = late + scenario.take_events()
                late = data.draw(st.lists(st.sampled_from(events), unique_by=read_id)) if events else []
                held = set(map(read_id, late))
                deliver(scenario, data.draw(arrange([each for each in events if read_id(each) not in held])))
            deliver(scenario, data.draw(arrange(late)))
            account = read_account(scenario)
            assert (account["plan"], account["status"]) == (scenario.plan, scenario.status)
            assert (account["past_due_since"] is not None) == (scenario.status == "past_due")
            assert PaymentIncident.objects.filter(customer=scenario.customer).count() == scenario.refunds
            assert not InboxEvent.objects.filter(processed_at=None).exists()

        check()
