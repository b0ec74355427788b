"""RSOLV as in production, with short timeouts, so that failures are detected and retried soon."""

from dataclasses import dataclass

from sandbox.services import ServicesStack

WORKERS = 2


@dataclass(frozen=True)
class ChaosStack(ServicesStack):
    """A stack with a short Stripe timeout and frequent sweeps."""

    web_workers: int = WORKERS

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_POOL": "6",
            "SWEEP_SECONDS": "5",
            "STRIPE_TIMEOUT_SECONDS": "2",
            "API_REQUESTS_PER_MINUTE": "100000",
        }
