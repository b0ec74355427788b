"""Retry rules of outbox rows. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=15)


@dataclass(frozen=True)
class Policy:
    """The retry rules of one table. `task` is the dotted path of the Celery task, called with a row's id.

    A row is parked for staff after `max_failures` failed attempts (None: never), and after `max_lost_leases`
    consecutive leases that ended without an outcome because their workers died.
    """

    task: str
    max_failures: int | None = None
    max_lost_leases: int = 5
    longest_wait: timedelta = timedelta(hours=1)

    def schedule_retry(self, *, failures: int, now: datetime) -> datetime:
        """Return when to retry after this many failures: waits double up to `longest_wait`, ± 25 %."""
        # The exponent is bounded because timedelta overflows.
        # By then the wait is longer than any `longest_wait`.
        wait = min(FIRST_WAIT * 2 ** min(failures, 12), self.longest_wait)
        return now + timedelta(seconds=wait.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, guards nothing

    def is_last(self, *, failures: int) -> bool:
        """Return whether a row with this many failures is given up."""
        return self.max_failures is not None and failures >= self.max_failures
