"""RSOLV's web processes with production settings, for benchmarks. No other process runs."""

import secrets
import sys
from dataclasses import dataclass, field

from sandbox.processes import Supervisor, is_port_free
from sandbox.services import ServicesStack
from sandbox.stack import HOST

from .client import BARE, Client
from .servers import SERVERS, Server

UNLIMITED = "100000000"


@dataclass(frozen=True)
class BenchStack(ServicesStack):
    """The server that is measured. No Stripe runs, because no measured request may call it."""

    server: Server = SERVERS["deployed"]
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
            "API_REQUESTS_PER_MINUTE": UNLIMITED,
            "KEY_CACHE_SECONDS": str(self.key_cache_seconds),
            "API_TEST_INTEGRATION_PER_MINUTE": UNLIMITED,
        }

    def start_web(self, supervisor: Supervisor) -> None:
        command = self.server.build_command(f"{HOST}", self.web_port)
        supervisor.start("web", [self.server.python or sys.executable, "-m", *command])

    def wait_for_web(self, supervisor: Supervisor, seconds: float = 300) -> None:
        """Wait until the server answers. Unlike the base class, skip the health check, which calls Stripe."""
        supervisor.wait_for("the web process", lambda: not is_port_free(self.web_port), seconds)
        Client(HOST, self.web_port).fetch(BARE)
