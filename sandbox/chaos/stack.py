"""RSOLV as it runs in production, made to find out soon what has failed."""

from dataclasses import dataclass

from sandbox.services import ServicesStack

WORKERS = 2


@dataclass(frozen=True)
class ChaosStack(ServicesStack):
    """Stripe answers within seconds or not; the sweep comes every few seconds."""

    web_workers: int = WORKERS

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_POOL": "6",
            "SWEEP_SECONDS": "5",
            "STRIPE_TIMEOUT_SECONDS": "2",
            "API_REQUESTS_PER_MINUTE": "100000",
        }
