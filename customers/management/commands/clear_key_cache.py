"""`manage.py clear_key_cache`: empty the key cache. The next request with each key queries the database."""

from typing import Any

from django.core.management.base import CommandError

from core.commands.base import BaseCommand
from core.redis.client import RedisUnavailable
from customers import key_cache


class Command(BaseCommand):
    help = "Remove all entries from the key cache. Safe at any time."

    def handle(self, **options: Any) -> None:
        if not key_cache.is_on():
            raise CommandError("There is no key cache: REDIS_URL is not set, or KEY_CACHE_SECONDS is 0.")
        try:
            count = key_cache.clear()
        except RedisUnavailable as error:
            raise CommandError("Redis is unavailable: the cache is not used now. Try again.") from error
        self.stdout.write(f"{count} entries removed.")
