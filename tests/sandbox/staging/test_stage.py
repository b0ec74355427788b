"""Staged against a Stripe that speaks HTTP; its news is carried over by the test."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from billing import stripe_gateway
from billing.models import UsageRecord, UsageReport
from billing.plans import PLANS
from billing.selectors import list_invoices
from billing.services.webhook_handlers import ENDPOINT_EVENTS, handle_webhook
from sandbox.staging.acts import find
from sandbox.staging.cast import ACTORS, BEGINS_DAYS_AGO, PASSWORD, STAFF_SECRET, Actor
from sandbox.staging.second_step import compute_code
from sandbox.staging.stage import StoryTooLate, describe_difference, stage_customers, stage_staff
from sandbox.staging.story import STORY

if TYPE_CHECKING:
    from sandbox.stripe.server import StripeSandbox


class CarriedOutside:
    """The sandbox within the test, its events applied in order as soon as time has passed."""

    def __init__(self, stripe: "StripeSandbox") -> None:
        self.stripe = stripe
        self.known: set[str] = set()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.stripe.control.now(), UTC)

    def move_to(self, instant: datetime) -> None:
        self.stripe.control.set_to(int(instant.timestamp()))
        for event in self.stripe.control.events():
            if event["id"] not in self.known and event["type"] in ENDPOINT_EVENTS:
                self.known.add(event["id"])
                handle_webhook(event_type=event["type"], body=json.dumps(event))


@pytest.fixture
def outside(transactional_db: None, stripe_sandbox: "StripeSandbox") -> CarriedOutside:
    begin = timezone.now() - timedelta(days=BEGINS_DAYS_AGO)
    stripe_sandbox.world.move_clock(int(begin.timestamp()))
    stripe_gateway.sync_plans()
    return CarriedOutside(stripe_sandbox)


def list_totals(actor: Actor) -> list[tuple[int, str]]:
    invoices = list_invoices(customer=find(actor), limit=5)
    return [(invoice.total_cents, invoice.status) for invoice in invoices]


class TestStageCustomers:
    def test_leaves_each_customer_in_its_state(self, outside: CarriedOutside) -> None:
        today = timezone.now()
        middle = today - timedelta(days=30)
        stage_customers(outside=outside, today=today, until=middle)
        assert abs(outside.now() - middle) < timedelta(seconds=5)
        actors = stage_customers(outside=outside, today=today)
        assert [describe_difference(actor) for actor in actors] == [""] * len(ACTORS)
        assert abs(outside.now() - today) < timedelta(seconds=60)

        of = {actor.key: list_totals(actor) for actor in actors}
        assert of["trial"] == of["exhausted"] == []
        assert of["payg"][0] == (7 * PLANS["payg"].unit_price_cents, "paid")
        assert of["teams"] == [(PLANS["teams"].monthly_price_cents, "paid")]
        assert of["pastdue"][0] == (PLANS["teams"].monthly_price_cents, "open")
        assert of["cancelled"][0][0] == 4 * PLANS["payg"].unit_price_cents

        metered = UsageRecord.objects.filter(coverage=UsageRecord.Coverage.METERED).count()
        assert UsageReport.objects.filter(status=UsageReport.Status.REPORTED).count() == metered
        assert len(outside.stripe.control.meter_events()) == metered == 7 + 3 + 64 + 12 + 4

        browser = Client()
        browser.post("/accounts/login/", {"login": actors[0].email, "password": PASSWORD})
        assert browser.get("/dashboard/").status_code == 200

    def test_refuses_a_clock_that_has_passed_the_beginning(self, outside: CarriedOutside) -> None:
        outside.move_to(timezone.now())
        with pytest.raises(StoryTooLate):
            stage_customers(outside=outside, today=timezone.now())


class TestStory:
    def test_is_told_in_order_and_knows_its_actors(self) -> None:
        days = [moment.days_ago for moment in STORY]
        assert days == sorted(days, reverse=True) and days[0] < BEGINS_DAYS_AGO
        assert {moment.actor for moment in STORY} == {actor.key for actor in ACTORS}


def test_staff_can_be_staged_twice(db: None) -> None:
    assert stage_staff() == stage_staff()


def test_staff_get_in_with_the_code_that_make_staff_code_prints(db: None) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": stage_staff(), "password": PASSWORD})
    browser.post("/accounts/2fa/authenticate/", {"code": compute_code(STAFF_SECRET, at=time.time())})
    assert browser.get("/staff/").status_code == 200
