"""RSOLV as in production, with short timeouts, so that failures are detected and retried soon."""

from dataclasses import dataclass

from sandbox.services import ServicesStack

WORKERS = 2


@dataclass(frozen=True)
class ChaosStack(ServicesStack):
    """A stack with short timeouts and leases, and frequent sweeps."""

    web_workers: int = WORKERS

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_POOL": "6",
            "SWEEP_SECONDS": "5",
            # A killed task's row is leased for 60 seconds. A task takes 20 while Stripe hangs.
            "TASK_SECONDS": "40",
            "STRIPE_TIMEOUT_SECONDS": "2",
            "API_REQUESTS_PER_MINUTE": "100000",
        }
