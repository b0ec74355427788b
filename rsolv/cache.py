"""A cache that is missed when it is away, not mourned."""

from typing import Any

import redis
import structlog
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)


class ForgivingRedisCache(RedisCache):
    """Redis, whose absence is logged and answered like an empty cache: nobody is refused a login for it."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError as error:
            return _forgive(error, default)

    def add(self, key: Any, value: Any, timeout: Any = ..., version: Any = None) -> bool:
        """Whether the key was free, as it is in an empty cache: who locks with it goes on."""
        options = {} if timeout is ... else {"timeout": timeout}
        try:
            return bool(super().add(key, value, version=version, **options))
        except redis.RedisError as error:
            return bool(_forgive(error, True))

    def set(self, key: Any, value: Any, timeout: Any = ..., version: Any = None) -> None:
        options = {} if timeout is ... else {"timeout": timeout}
        try:
            super().set(key, value, version=version, **options)
        except redis.RedisError as error:
            _forgive(error, None)

    def delete(self, key: Any, version: Any = None) -> bool:
        try:
            return super().delete(key, version)
        except redis.RedisError as error:
            return bool(_forgive(error, False))


def _forgive(error: redis.RedisError, answer: Any) -> Any:
    log.warning("cache_unavailable", error=type(error).__name__)
    return answer
