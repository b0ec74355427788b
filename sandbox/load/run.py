"""One run: start everything, seed customers, warm up, run the scenarios, check for leaks."""

import io
from collections.abc import Sequence
from typing import Protocol

from django.core.management import call_command
from django.db import connection

from sandbox.progress import log_progress, timed
from sandbox.seed.bulk_seed import BulkSeeder
from sandbox.tables import create_tables

from .environment import LoadEnvironment
from .leak_check import ResourceUsage
from .results import Result
from .shards import ActionShards
from .signups import Signups
from .stack import CELERY_WORKERS
from .webhooks import Webhooks

START_SECONDS = 300.0


class Scenario(Protocol):
    @property
    def name(self) -> str: ...

    def run(self, env: LoadEnvironment) -> Result: ...


SCENARIOS: tuple[Scenario, ...] = (
    Signups(),
    Signups("signups_with_faults", with_faults=True),
    Webhooks("webhooks_a_minute", count=1000, per_second=1000 / 60),
    Webhooks("webhooks_burst", count=1000, per_second=200),
    ActionShards(),
)
# A small scenario of each kind, so that every process has loaded its code and filled its connection pools
# before the measurement.
WARM_UP: tuple[Scenario, ...] = (
    Signups("warm_signups", count=60),
    Webhooks("warm_webhooks", count=400, per_second=200),
    ActionShards("warm_shards", issues_each=2),
)


def start(env: LoadEnvironment, *, seeded: int) -> None:
    """Start all processes, and seed `seeded` active subscriptions."""
    stack, supervisor = env.stack, env.supervisor
    with timed("start"):
        stack.start_stripe(supervisor)
        stack.start_web(supervisor)
        for number in range(CELERY_WORKERS):
            stack.start_worker_named(supervisor, f"worker{number}")
        # The processes are still loading and need no tables yet.
        create_tables()
        stack.wait_for_stripe(supervisor)
    with timed(f"{seeded} subscriptions"):
        BulkSeeder().seed_subscriptions(customers=seeded)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    call_command("register_webhook", stdout=io.StringIO())
    stack.start_beat(supervisor)
    stack.wait_for_web(supervisor, START_SECONDS)


def run_scenarios(
    env: LoadEnvironment, chosen: Sequence[Scenario]
) -> tuple[list[Result], ResourceUsage, ResourceUsage]:
    """Return the results, and the resource usage before the first scenario and after the last."""
    kinds = {type(scenario) for scenario in chosen}
    for scenario in WARM_UP:
        if type(scenario) in kinds:
            _run_scenario(env, scenario)
    before = env.measure()
    results = [_run_scenario(env, scenario) for scenario in chosen]
    return results, before, env.measure()


def _run_scenario(env: LoadEnvironment, scenario: Scenario) -> Result:
    with timed(scenario.name):
        result: Result = scenario.run(env)
    env.supervisor.check()
    found = result.describe()
    log_progress(
        "  ".join(f"{name} {found[name]}" for name in ("sent", "succeeded", "lost", "p95_ms", "errors"))
    )
    return result
