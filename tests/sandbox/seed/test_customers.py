"""Seeding against the sandbox Stripe over HTTP. The test delivers its events."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import UsageRecord, UsageReport
from billing.plans import PLANS
from billing.selectors.invoices import list_invoices
from billing.services.webhooks.handlers import ENDPOINT_EVENTS, handle_webhook
from billing.stripe_gateway.prices import sync_plans
from sandbox.seed.actions import find_customer
from sandbox.seed.customers import ClockTooLate, describe_difference, seed_customers, seed_staff
from sandbox.seed.personas import BEGINS_DAYS_AGO, PASSWORD, PERSONAS, STAFF_SECRET, Persona
from sandbox.seed.timeline import TIMELINE
from sandbox.seed.totp import compute_code
from tests.billing.billing_env import keep_newest

if TYPE_CHECKING:
    from sandbox.stripe.server import StripeSandbox


class InProcessStripeClock:
    """The clock of a sandbox in this process. Moving it handles the newest resulting events, in order."""

    def __init__(self, stripe: "StripeSandbox") -> None:
        self.stripe = stripe
        self.known: set[str] = set()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.stripe.control.now(), UTC)

    def move_to(self, moment: datetime) -> None:
        self.stripe.control.set_to(int(moment.timestamp()))
        new = [event for event in self.stripe.control.events() if event["id"] not in self.known]
        self.known |= {event["id"] for event in new}
        for event in keep_newest([event for event in new if event["type"] in ENDPOINT_EVENTS]):
            handle_webhook(event_type=event["type"], body=json.dumps(event))


@pytest.fixture
def clock(transactional_db: None, stripe_sandbox: "StripeSandbox") -> InProcessStripeClock:
    begin = timezone.now() - timedelta(days=BEGINS_DAYS_AGO)
    stripe_sandbox.env.move_clock(int(begin.timestamp()))
    sync_plans()
    return InProcessStripeClock(stripe_sandbox)


def list_totals(persona: Persona) -> list[tuple[int, str]]:
    invoices = list_invoices(customer=find_customer(persona), limit=5)
    return [(invoice.total_cents, invoice.status) for invoice in invoices]


class TestSeedCustomers:
    def test_leaves_each_customer_in_its_state(self, clock: InProcessStripeClock) -> None:
        today = timezone.now()
        middle = today - timedelta(days=30)
        seed_customers(clock=clock, today=today, until=middle)
        assert abs(clock.now() - middle) < timedelta(seconds=5)
        personas = seed_customers(clock=clock, today=today)
        assert [describe_difference(persona) for persona in personas] == [""] * len(PERSONAS)
        assert abs(clock.now() - today) < timedelta(seconds=60)

        of = {persona.key: list_totals(persona) for persona in personas}
        assert of["trial"] == of["exhausted"] == []
        assert of["payg"][0] == (7 * PLANS["payg"].unit_price_cents, "paid")
        assert of["teams"] == [(PLANS["teams"].monthly_price_cents, "paid")]
        assert of["pastdue"][0] == (PLANS["teams"].monthly_price_cents, "open")
        assert of["canceled"][0][0] == 4 * PLANS["payg"].unit_price_cents

        metered = UsageRecord.objects.filter(coverage=UsageRecord.Coverage.METERED).count()
        assert UsageReport.objects.filter(status=UsageReport.Status.REPORTED).count() == metered
        assert len(clock.stripe.control.meter_events()) == metered == 7 + 3 + 64 + 12 + 4

        browser = Client()
        browser.post("/accounts/login/", {"login": personas[0].email, "password": PASSWORD})
        assert browser.get("/dashboard/").status_code == 200

    def test_rejects_a_clock_past_the_start_of_the_timeline(self, clock: InProcessStripeClock) -> None:
        clock.move_to(timezone.now())
        with pytest.raises(ClockTooLate):
            seed_customers(clock=clock, today=timezone.now())


class TestTimeline:
    def test_is_in_order_and_uses_every_persona(self) -> None:
        days = [event.days_ago for event in TIMELINE]
        assert days == sorted(days, reverse=True) and days[0] < BEGINS_DAYS_AGO
        assert {event.persona for event in TIMELINE} == {persona.key for persona in PERSONAS}


def test_staff_can_be_seeded_twice(db: None) -> None:
    assert seed_staff() == seed_staff()


def test_staff_can_log_in_with_the_code_of_make_staff_code(db: None) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": seed_staff(), "password": PASSWORD})
    browser.post("/accounts/2fa/authenticate/", {"code": compute_code(STAFF_SECRET, at=time.time())})
    assert browser.get("/staff/").status_code == 200
