"""RSOLV as in production, with its own Redis server, which a fault can kill."""

import time
from dataclasses import dataclass

import redis

from sandbox.processes import Child, Supervisor
from sandbox.services import ServicesStack
from sandbox.stack import CELERY, HOST

TOKEN = "test-alerts-" + "0123456789abcdef" * 2


@dataclass(frozen=True)
class AlertTestStack(ServicesStack):
    """A stack that sweeps every four seconds and trusts one proxy, so that signups can have any address."""

    redis_port: int = 0
    smtp_port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "API_BAD_KEYS_PER_MINUTE": "1",
            "API_REQUESTS_PER_MINUTE": "100000",
            "API_TEST_INTEGRATION_PER_MINUTE": "100000",
            "EMAIL_URL": f"smtp://{HOST}:{self.smtp_port}",
            "METRICS_TOKEN": TOKEN,
            "METRICS_ADDRESSES": "",
            "ONBOARDINGS_PER_HOUR": "100000",
            "STRIPE_TIMEOUT_SECONDS": "2",
            "SWEEP_SECONDS": "4",
            "TRUSTED_PROXY_COUNT": "1",
        }

    def start_redis(self, supervisor: Supervisor) -> None:
        options = ["--bind", HOST, "--port", str(self.redis_port), "--save", "", "--appendonly", "no"]
        supervisor.start("redis", ["redis-server", *options])
        supervisor.wait_for("Redis", self._has_redis, 120)

    def start_worker_named(self, supervisor: Supervisor, name: str) -> Child:
        """Start a worker without `nice`.

        A sweep expires unless it starts within SWEEP_SECONDS. On a busy machine a worker of low priority
        would run no sweep, and alerts would fire without a fault.
        """
        return supervisor.start(name, [*CELERY, "worker", *self.list_worker_options(name)])

    def _has_redis(self) -> bool:
        with redis.Redis(host=HOST, port=self.redis_port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                time.sleep(0.1)
                return False
