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

from .actions import find
from .personas import BEGINS_DAYS_AGO, PASSWORD, PERSONAS, STAFF, STAFF_SECRET, Persona
from .stripe_clock import StripeClock
from .timeline import TIMELINE, TimelineEvent


class ClockTooLate(Exception):
    """Stripe's clock has passed the beginning of the timeline, and no customer has been seeded."""

    def __init__(self) -> None:
        super().__init__(
            f"The timeline begins {BEGINS_DAYS_AGO} days ago, but the sandbox's clock has passed that: start "
            "a fresh one with --clock, as make demo does."
        )


def seed_customers(
    *, clock: StripeClock, today: datetime, until: datetime | None = None
) -> tuple[Persona, ...]:
    """Run the timeline from Stripe's present time to `until`, by default to its end, and return the personas.

    Moves Stripe's clock. Events before the clock's time have run already, so the timeline can be run in
    parts. Tasks run at once, in this process. Raises ClockTooLate.
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
    """Move the clock forward. It also runs by itself, and may have passed the moment already."""
    if moment > clock.now():
        clock.move_to(moment)


def seed_staff() -> str:
    """Create a staff user with two-factor login; return their address. Repeating it is safe."""
    if not User.objects.filter(email=STAFF).exists():
        with transaction.atomic():
            user = User.objects.create_superuser(STAFF, PASSWORD)
            EmailAddress.objects.create(user=user, email=STAFF, verified=True, primary=True)
            TOTP.activate(user, STAFF_SECRET)
    return STAFF


def describe_difference(persona: Persona) -> str:
    """Return how a seeded customer's entitlement differs from its persona; empty if it does not."""
    found = get_entitlement(customer=find(persona))
    wanted = (persona.plan, persona.status, persona.used, persona.blocked_reason)
    return "" if _sum_up(found) == wanted else f"{persona.email}: {_sum_up(found)} instead of {wanted}"


def _sum_up(entitlement: Entitlement) -> tuple[str, str, int, str | None]:
    return entitlement.plan.key, entitlement.status, entitlement.used, entitlement.blocked_reason


def _date(event: TimelineEvent, today: datetime) -> datetime:
    return today - timedelta(days=event.days_ago)


@contextmanager
def _run_tasks_eagerly() -> Iterator[None]:
    """Run tasks where they are sent, because a fix must be metered before the clock moves on."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    try:
        yield
    finally:
        current_app.conf.task_always_eager = before
