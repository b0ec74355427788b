"""RSOLV as in production, beside a Redis that is its own, so that it can be killed."""

import time
from dataclasses import dataclass

import redis

from sandbox.processes import Supervisor
from sandbox.services import ServicesStack
from sandbox.stack import HOST

TOKEN = "watch-" + "0123456789abcdef" * 2


@dataclass(frozen=True)
class WatchStack(ServicesStack):
    """The sweep comes every four seconds. One proxy is believed, so that signups come from anywhere."""

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
        supervisor.wait_for("Redis", self._has_redis)

    def _has_redis(self) -> bool:
        with redis.Redis(host=HOST, port=self.redis_port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                time.sleep(0.1)
                return False
