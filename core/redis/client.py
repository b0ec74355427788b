"""Redis for what every request asks: short waits, and none at all while it is known to be away."""

import os
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import redis
import structlog
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")

log = structlog.get_logger(__name__)

# What says that Redis is unavailable; any other error is of one command, such as counting what is no number.
UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, OperationalError, OSError)


class RedisUnavailable(Exception):
    """Redis did not answer in time, or did not a moment ago and is left alone."""


def list_timeouts() -> dict[str, Any]:
    """How redis-py is to connect and ask, so that a Redis which hangs costs a request little."""
    return {
        "socket_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_TIMEOUT_SECONDS,
        # A connection that Redis has closed is opened again, once; what took too long is not asked again.
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    }


class RedisClient:
    """A way to Redis that a failure shuts for REDIS_REST_SECONDS; then one question tries it anew."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = threading.local()
        self._shut_until = 0.0
        self._scripts: dict[str, Any] = {}

    @property
    def client(self) -> Any:
        """This thread's own connection: a pool takes nearly as long as Redis does. None outlives a fork."""
        own, process = self._own, os.getpid()
        if getattr(own, "process", None) != process:
            own.client, own.process = self._open(), process
        return own.client

    def _open(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._url,
            single_connection_client=True,
            protocol=2,  # its answers are read in half the time
            **list_timeouts(),
        )

    def ask(self, question: Callable[[Any], T], *, insist: bool = False) -> T:
        """What Redis answers. `insist` asks also while the way is shut. Raises RedisUnavailable."""
        return self.attempt(lambda: question(self.client), insist=insist)

    def attempt(self, work: Callable[[], T], *, insist: bool = False) -> T:
        """Do what asks this Redis by another connection than ours, whose timeouts must be short too.

        Where Redis does not answer, the way is shut for all. Raises RedisUnavailable.
        """
        now = time.monotonic()
        if now < self._shut_until and not insist:
            raise RedisUnavailable
        if self._shut_until:
            self._shut_until = now + settings.REDIS_REST_SECONDS  # the others wait for this one's answer
        try:
            answer = work()
        except UNAVAILABLE as error:
            self._shut_until = time.monotonic() + settings.REDIS_REST_SECONDS
            log.warning("redis_unavailable", error=type(error).__name__)
            raise RedisUnavailable from error
        except redis.RedisError as error:
            log.warning("redis_rejected", error=type(error).__name__)
            raise RedisUnavailable from error
        self._shut_until = 0.0
        return answer

    def run(self, script: str, names: list[str], arguments: list[Any]) -> Any:
        """What a script answers, run in Redis as a whole. Raises RedisUnavailable."""

        def question(client: Any) -> Any:
            if script not in self._scripts:
                self._scripts[script] = client.register_script(script)
            return self._scripts[script](keys=names, args=arguments, client=client)

        return self.ask(question)


@cache
def connect(url: str) -> RedisClient:
    """The one way of this process to that Redis."""
    return RedisClient(url)


def get_redis_client() -> RedisClient | None:
    """The way to Redis; None where this installation has none."""
    return connect(settings.REDIS_URL) if settings.REDIS_URL else None
