"""Customers in every state, each made by living through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from celery import current_app
from django.db import transaction

from billing.selectors import Entitlement, get_entitlement
from customers.models import Customer, User

from .acts import find
from .cast import ACTORS, BEGINS_DAYS_AGO, PASSWORD, STAFF, STAFF_SECRET, Actor
from .outside import Outside
from .story import STORY, Moment


class StoryTooLate(Exception):
    """Stripe's clock has passed the story's beginning, and nobody is staged."""

    def __init__(self) -> None:
        super().__init__(
            f"The story begins {BEGINS_DAYS_AGO} days ago, but the sandbox's clock has passed that: start a "
            "fresh one with --clock, as make demo does."
        )


def stage_customers(*, outside: Outside, today: datetime, until: datetime | None = None) -> tuple[Actor, ...]:
    """Tell the story from where Stripe's clock stands up to an instant, by default to today's end of it.

    Moves Stripe's clock there. What came before the clock has happened already, so the story can be told in
    parts. Background work is done at once, in this process. Raises StoryTooLate.
    """
    until = until or today
    began = outside.now()
    if began > _date(STORY[0], today) and not Customer.objects.filter(email=ACTORS[2].email).exists():
        raise StoryTooLate
    actors = {actor.key: actor for actor in ACTORS}
    with _work_at_once():
        for moment in STORY:
            at = _date(moment, today)
            if began < at <= until:
                _move_clock(outside, at)
                moment.act(actors[moment.actor], at)
    _move_clock(outside, until)
    return ACTORS


def _move_clock(outside: Outside, instant: datetime) -> None:
    """Unless the clock, which runs by itself too, has passed the instant meanwhile."""
    if instant > outside.now():
        outside.move_to(instant)


def stage_staff() -> str:
    """Somebody who may use the staff admin, with a second step; their address. Repeating it is safe."""
    if not User.objects.filter(email=STAFF).exists():
        with transaction.atomic():
            user = User.objects.create_superuser(STAFF, PASSWORD)
            EmailAddress.objects.create(user=user, email=STAFF, verified=True, primary=True)
            TOTP.activate(user, STAFF_SECRET)
    return STAFF


def describe_difference(actor: Actor) -> str:
    """How a staged customer's entitlement differs from what the story promises; empty where it does not."""
    found = get_entitlement(customer=find(actor))
    wanted = (actor.plan, actor.status, actor.used, actor.blocked_reason)
    return "" if _sum_up(found) == wanted else f"{actor.email}: {_sum_up(found)} instead of {wanted}"


def _sum_up(entitlement: Entitlement) -> tuple[str, str, int, str | None]:
    return entitlement.plan.key, entitlement.status, entitlement.used, entitlement.blocked_reason


def _date(moment: Moment, today: datetime) -> datetime:
    return today - timedelta(days=moment.days_ago)


@contextmanager
def _work_at_once() -> Iterator[None]:
    """Tasks run where they are sent: a fix must be metered before the clock goes on."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    try:
        yield
    finally:
        current_app.conf.task_always_eager = before
