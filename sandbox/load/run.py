"""One run: start everything, stage the crowd, warm up, play the scenarios, look at what is left."""

import io
from collections.abc import Sequence
from typing import Protocol

from django.core.management import call_command
from django.db import connection

from sandbox.progress import tell, timed
from sandbox.staging.crowd import Crowd
from sandbox.tables import make_tables

from .ground import Ground
from .shards import ActionShards
from .signups import Signups
from .stack import CELERY_WORKERS
from .tally import Result
from .upkeep import Held
from .webhooks import Webhooks

START_SECONDS = 300.0


class Scenario(Protocol):
    @property
    def name(self) -> str: ...

    def play(self, ground: Ground) -> Result: ...


SCENARIOS: tuple[Scenario, ...] = (
    Signups(),
    Signups("signups_in_trouble", in_trouble=True),
    Webhooks("webhooks_a_minute", count=1000, per_second=1000 / 60),
    Webhooks("webhooks_burst", count=1000, per_second=200),
    ActionShards(),
)
# Those of its kind in small, so that every process has loaded what it needs, and filled its pools of
# connections, before anything is measured.
WARM_UP: tuple[Scenario, ...] = (
    Signups("warm_signups", count=60),
    Webhooks("warm_webhooks", count=400, per_second=200),
    ActionShards("warm_shards", issues_each=2),
)


def start(ground: Ground, *, staged: int) -> None:
    """Every process runs, and so many subscriptions are active."""
    stack, supervisor = ground.stack, ground.supervisor
    with timed("start"):
        stack.start_stripe(supervisor)
        stack.start_web(supervisor)
        for number in range(CELERY_WORKERS):
            stack.start_worker_named(supervisor, f"worker{number}")
        # While they start, which takes a while, the tables they need are made.
        make_tables()
        stack.wait_for_stripe(supervisor)
    with timed(f"{staged} subscriptions"):
        Crowd().stage_subscriptions(customers=staged)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    call_command("register_webhook", stdout=io.StringIO())
    stack.start_beat(supervisor)
    stack.wait_for_web(supervisor, START_SECONDS)


def play(ground: Ground, chosen: Sequence[Scenario]) -> tuple[list[Result], Held, Held]:
    """The results, and what the processes held before the first and after the last."""
    kinds = {type(scenario) for scenario in chosen}
    for scenario in WARM_UP:
        if type(scenario) in kinds:
            _play(ground, scenario)
    before = ground.measure()
    results = [_play(ground, scenario) for scenario in chosen]
    return results, before, ground.measure()


def _play(ground: Ground, scenario: Scenario) -> Result:
    with timed(scenario.name):
        result: Result = scenario.play(ground)
    ground.supervisor.check()
    found = result.describe()
    tell("  ".join(f"{name} {found[name]}" for name in ("sent", "succeeded", "lost", "p95_ms", "errors")))
    return result
