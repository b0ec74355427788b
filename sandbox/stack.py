"""Start RSOLV on this machine: web, worker, beat and the sandbox Stripe."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.private_files import make_private

from .processes import Supervisor

HOST = "127.0.0.1"
CONFIG = Path(__file__).resolve().parents[1] / "deploy" / "gunicorn.conf.py"
GUNICORN = [
    sys.executable,
    "-m",
    "gunicorn",
    "rsolv.wsgi",
    "--config",
    str(CONFIG),
]
CELERY = [sys.executable, "-m", "celery", "-A", "rsolv.celery", "--quiet"]
# The worker gets a lower priority, because users wait for web requests.
WORKER = ["nice", *CELERY, "worker"]


@dataclass(frozen=True)
class Stack:
    """The embedded mode: SQLite, in-process cache, file-based queue. All files are in `data_dir`."""

    data_dir: Path
    web_port: int
    stripe_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    @property
    def stripe_url(self) -> str:
        return f"http://{HOST}:{self.stripe_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The processes' environment. It names the settings, because rsolv.wsgi defaults to production."""
        return {
            "DJANGO_SETTINGS_MODULE": "rsolv.settings.dev",
            "RSOLV_DATA_DIR": str(self.data_dir),
            "RSOLV_BASE_URL": self.url,
            "STRIPE_API_BASE": self.stripe_url,
            "DATABASE_URL": f"sqlite:///{self.data_dir / 'rsolv.sqlite3'}",
            "REDIS_URL": "",
            "EMAIL_URL": "",
            "PROMETHEUS_MULTIPROC_DIR": str(self.data_dir / "metrics"),
            "METER_SETTLE_SECONDS": "0",  # the sandbox Stripe sums immediately
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
            # Stripe's SDK must not use a proxy for the sandbox.
            "NO_PROXY": f"{HOST},localhost",
        }

    def prepare(self) -> None:
        """Apply the environment to this process, and create the data folders, private to this user."""
        os.environ.update(self.environment)
        make_private(self.data_dir, names=("log", "mail"))

    def start_stripe(self, supervisor: Supervisor, *, clock: int | None = None) -> None:
        """Start the sandbox Stripe without waiting for it. `clock` is the initial time, a Unix timestamp."""
        command = [sys.executable, "-m", "sandbox.stripe", "--port", str(self.stripe_port)]
        command += ["--state", str(self.data_dir / "stripe.sqlite3")]
        command += ["--mail-dir", str(self.data_dir / "mail")]
        if clock is not None:
            command += ["--clock", str(clock)]
        supervisor.start("stripe", command)

    def wait_for_stripe(self, supervisor: Supervisor, seconds: float = 30) -> None:
        health = f"{self.stripe_url}/_sandbox/health"
        supervisor.wait_for("the sandbox Stripe", lambda: _answers(health), seconds)

    def start_web(self, supervisor: Supervisor) -> None:
        options = ["--bind", f"{HOST}:{self.web_port}", "--no-control-socket", "--workers", "1"]
        supervisor.start("web", [*GUNICORN, *options])

    def start_worker(self, supervisor: Supervisor) -> None:
        options = ["--pool", "threads", "--concurrency", "2", "--loglevel", "INFO"]
        options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        supervisor.start("worker", [*WORKER, *options])

    def start_beat(self, supervisor: Supervisor) -> None:
        schedule = str(self.data_dir / "beat-schedule.json")
        supervisor.start("beat", [*CELERY, "beat", "--schedule", schedule, "--loglevel", "WARNING"])

    def wait_for_web(self, supervisor: Supervisor, seconds: float = 30) -> None:
        supervisor.wait_for("the web process", lambda: _answers(f"{self.url}/api/health"), seconds)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
