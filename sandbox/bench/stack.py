"""RSOLV's web processes with production's settings, for the bench: nothing else runs beside them."""

import secrets
import sys
from dataclasses import dataclass, field

from sandbox.processes import Supervisor, is_port_free
from sandbox.services import ServicesStack
from sandbox.stack import HOST

from .client import BARE, Client
from .servers import SERVERS, Server

PLENTY = "100000000"


@dataclass(frozen=True)
class BenchStack(ServicesStack):
    """One server that is measured. Stripe is at an address where nobody is: no request may need it."""

    server: Server = SERVERS["chosen"]
    key_cache_seconds: int = 300
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(64))

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DJANGO_SETTINGS_MODULE": "sandbox.bench.settings",
            "RSOLV_SECRET_KEY": self.secret_key,
            "ALLOWED_HOSTS": HOST,
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "SECURE_SSL_REDIRECT": "false",
            "STRIPE_SECRET_KEY": "sk_test_" + "bench" * 5,
            "LOG_LEVEL": "INFO",
            "DATABASE_POOL": "16",
            "API_REQUESTS_PER_MINUTE": PLENTY,
            "KEY_CACHE_SECONDS": str(self.key_cache_seconds),
            "API_TEST_INTEGRATION_PER_MINUTE": PLENTY,
        }

    def start_web(self, supervisor: Supervisor) -> None:
        command = self.server.build_command(f"{HOST}", self.web_port)
        supervisor.start("web", [self.server.python or sys.executable, "-m", *command])

    def wait_for_web(self, supervisor: Supervisor, seconds: float = 300) -> None:
        """Not by its health, which would ask for Stripe."""
        supervisor.wait_for("the web process", lambda: not is_port_free(self.web_port), seconds)
        Client(HOST, self.web_port).ask(BARE)
