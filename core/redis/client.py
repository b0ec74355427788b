"""A Redis client with short timeouts and a circuit breaker, for calls made during requests."""

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

# Errors that mean Redis is unavailable. Any other concerns one command, such as INCR on text.
UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, OperationalError, OSError)


class RedisUnavailable(Exception):
    """Redis did not answer in time, or failed less than REDIS_COOLDOWN_SECONDS ago and was not called."""


def list_timeouts() -> dict[str, Any]:
    """Return redis-py's connection options, so that an unresponsive Redis delays a request only briefly."""
    return {
        "socket_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_TIMEOUT_SECONDS,
        # Reconnect once if Redis has closed the connection. Do not retry a command that timed out.
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    }


class RedisClient:
    """A client with a circuit breaker.

    A failure opens it for REDIS_COOLDOWN_SECONDS, then one call tests Redis. Connections are per thread.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = threading.local()
        self._open_until = 0.0
        self._scripts: dict[str, Any] = {}

    @property
    def client(self) -> Any:
        """This thread's connection.

        A pool takes nearly as long as a call to Redis itself. A connection is not used after a fork: parent
        and child would read each other's answers.
        """
        own, process = self._own, os.getpid()
        if getattr(own, "process", None) != process:
            own.client, own.process = self._open(), process
        return own.client

    def _open(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._url,
            single_connection_client=True,
            protocol=2,  # parsed in half the time of RESP3
            **list_timeouts(),
        )

    def execute(self, command: Callable[[Any], T], *, force: bool = False) -> T:
        """Run a command on this thread's connection. Raises RedisUnavailable.

        `force` calls Redis even while the circuit breaker is open.
        """
        return self.call(lambda: command(self.client), force=force)

    def call(self, func: Callable[[], T], *, force: bool = False) -> T:
        """Call `func`, which uses this Redis through another connection, under the circuit breaker.

        That connection must have short timeouts too. Raises RedisUnavailable.
        """
        now = time.monotonic()
        if now < self._open_until and not force:
            raise RedisUnavailable
        if self._open_until:
            self._open_until = now + settings.REDIS_COOLDOWN_SECONDS  # half open: only this call tests Redis
        try:
            answer = func()
        except UNAVAILABLE as error:
            self._open_until = time.monotonic() + settings.REDIS_COOLDOWN_SECONDS
            log.warning("redis_unavailable", error=type(error).__name__)
            raise RedisUnavailable from error
        except redis.RedisError as error:
            # Redis answered, so the breaker stays as it is: other commands may succeed.
            log.warning("redis_rejected", error=type(error).__name__)
            raise RedisUnavailable from error
        self._open_until = 0.0
        return answer

    def run(self, script: str, names: list[str], arguments: list[Any]) -> Any:
        """Run a Lua script, which Redis executes atomically. Raises RedisUnavailable."""

        def command(client: Any) -> Any:
            if script not in self._scripts:
                self._scripts[script] = client.register_script(script)
            return self._scripts[script](keys=names, args=arguments, client=client)

        return self.execute(command)


@cache
def connect(url: str) -> RedisClient:
    """Return this process's client for that URL."""
    return RedisClient(url)


def get_redis_client() -> RedisClient | None:
    """Return the client, or None if REDIS_URL is not set."""
    return connect(settings.REDIS_URL) if settings.REDIS_URL else None
