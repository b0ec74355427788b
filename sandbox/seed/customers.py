"""Seed a customer in each state by running the timeline of what customers did."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from celery import current_app
from django.db import transaction

from billing.selectors.entitlements import Entitlement, get_entitlement
from customers.models import Customer, User

from .actions import find_customer
from .personas import BEGINS_DAYS_AGO, PASSWORD, PERSONAS, STAFF, STAFF_SECRET, Persona
from .stripe_clock import StripeClock
from .timeline import TIMELINE, TimelineEvent


class ClockTooLate(Exception):
    """Stripe's clock has passed the start of the timeline, and no customer has been seeded."""

    def __init__(self) -> None:
        super().__init__(
            f"The timeline begins {BEGINS_DAYS_AGO} days ago, but the sandbox's clock is later. Start a new "
            "sandbox with --clock, as make demo does."
        )


def seed_customers(
    *, clock: StripeClock, today: datetime, until: datetime | None = None
) -> tuple[Persona, ...]:
    """Run the timeline from Stripe's current time to `until`, by default to its end, and return the personas.

    Moves Stripe's clock. Skips events before the clock's time, so the timeline can be run in parts. Tasks run
    eagerly, in this process. Raises ClockTooLate.
    """
    until = until or today
    began = clock.now()
    if began > _date(TIMELINE[0], today) and not Customer.objects.filter(email=PERSONAS[2].email).exists():
        raise ClockTooLate
    personas = {persona.key: persona for persona in PERSONAS}
    with _run_tasks_eagerly():
        for event in TIMELINE:
            at = _date(event, today)
            if began < at <= until:
                _move_clock(clock, at)
                event.action(personas[event.persona], at)
    _move_clock(clock, until)
    return PERSONAS


def _move_clock(clock: StripeClock, moment: datetime) -> None:
    """Move the clock forward. It also advances in real time, and may already have passed the moment."""
    if moment > clock.now():
        clock.move_to(moment)


def seed_staff() -> str:
    """Create a staff user with two-step login, and return their address. Safe to repeat."""
    if not User.objects.filter(email=STAFF).exists():
        with transaction.atomic():
            user = User.objects.create_superuser(STAFF, PASSWORD)
            EmailAddress.objects.create(user=user, email=STAFF, verified=True, primary=True)
            TOTP.activate(user, STAFF_SECRET)
    return STAFF


def describe_difference(persona: Persona) -> str:
    """Return how a seeded customer's entitlement differs from its persona; empty if it does not."""
    found = get_entitlement(customer=find_customer(persona))
    wanted = (persona.plan, persona.status, persona.used, persona.blocked_reason)
    return "" if _summarize(found) == wanted else f"{persona.email}: {_summarize(found)} instead of {wanted}"


def _summarize(entitlement: Entitlement) -> tuple[str, str, int, str | None]:
    return entitlement.plan.key, entitlement.status, entitlement.used, entitlement.blocked_reason


def _date(event: TimelineEvent, today: datetime) -> datetime:
    return today - timedelta(days=event.days_ago)


@contextmanager
def _run_tasks_eagerly() -> Iterator[None]:
    """Run tasks eagerly, because a fix must be metered before the clock moves on."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    try:
        yield
    finally:
        current_app.conf.task_always_eager = before
