"""The environment of the scenarios: processes, Stripe and mail server, and waiting for background work."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.processes import Supervisor
from sandbox.smtp import MailServer
from sandbox.stripe_client import StripeSandboxClient

from .leak_check import ResourceUsage, measure
from .stack import CELERY_WORKERS, LoadStack

STALL_SECONDS = 90.0
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class LoadEnvironment:
    """Everything that a scenario uses."""

    stack: LoadStack
    supervisor: Supervisor
    stripe: StripeSandboxClient
    mail: MailServer
    admin_url: str

    def wait_until_none(self, count: Callable[[], int]) -> int:
        """Wait until the count is 0, or has not shrunk for STALL_SECONDS. Return the remaining count."""
        least, moved_at = count(), time.monotonic()
        while least and time.monotonic() - moved_at < STALL_SECONDS:
            self.supervisor.check()
            time.sleep(PAUSE_SECONDS)
            left = count()
            if left < least:
                least, moved_at = left, time.monotonic()
        return least

    def measure(self) -> ResourceUsage:
        """Measure memory and connections of all RSOLV processes."""
        names = {"web": ["web"], "worker": [f"worker{n}" for n in range(CELERY_WORKERS)], "beat": ["beat"]}
        return measure(
            roles={
                role: [self.supervisor.find(name).popen.pid for name in children]
                for role, children in names.items()
            },
            admin_url=self.admin_url,
            database_url=self.stack.database_url,
            redis_url=self.stack.redis_url,
        )
