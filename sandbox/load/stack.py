"""RSOLV as in production, behind one proxy, with a mail server."""

from dataclasses import dataclass

from sandbox.services import ServicesStack
from sandbox.stack import HOST

CELERY_WORKERS = 2


@dataclass(frozen=True)
class LoadStack(ServicesStack):
    """A stack with the product's own limits. Only the sweep runs more often, to shorten the test."""

    web_threads: int = 8
    smtp_port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_POOL": "8",
            "SWEEP_SECONDS": "10",
            "STRIPE_TIMEOUT_SECONDS": "10",
            "EMAIL_URL": f"smtp://{HOST}:{self.smtp_port}",
            "TRUSTED_PROXY_COUNT": "1",
        }
