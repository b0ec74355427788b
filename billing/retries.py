"""When to try again. Pure."""

import random
from datetime import datetime, timedelta

# Longer than any one attempt may take: Stripe's timeout, tried three times.
LEASE = timedelta(minutes=3)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)


def schedule_retry(*, attempts: int, now: datetime) -> datetime:
    """The next attempt after this many: waits double up to an hour, each spread by a quarter."""
    wait = min(FIRST_WAIT * 2 ** min(attempts, 12), LONGEST_WAIT)
    return now + timedelta(seconds=wait.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, guards nothing
