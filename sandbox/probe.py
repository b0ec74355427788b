"""`python -m sandbox.probe`: find PostgreSQL and Redis for the tests.

Prints `DATABASE_URL=… REDIS_URL=…` and exits with 0, or prints to standard error what is missing and exits
with 1. Tries TEST_DATABASE_URL and TEST_REDIS_URL, or the default URLs if they are not set.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

import psycopg
import redis

DATABASES = ("postgres://root@/postgres", "postgres://postgres:postgres@127.0.0.1:5432/postgres")
REDISES = ("redis://127.0.0.1:6379/9",)
TIMEOUT_SECONDS = 3


class NotReachable(Exception):
    """No URL can be used; the message has the reason for each."""


def find_database(urls: Sequence[str] = DATABASES) -> str:
    """Return the first URL of a PostgreSQL where a database may be created. Raises NotReachable."""
    return _first("PostgreSQL", urls, _check_database)


def find_redis(urls: Sequence[str] = REDISES) -> str:
    """Return the first URL of a Redis that answers. Raises NotReachable."""
    return _first("Redis", urls, _check_redis)


def _first(service: str, urls: Sequence[str], check: Callable[[str], None]) -> str:
    reasons = []
    for url in urls:
        try:
            check(url)
        except (psycopg.Error, redis.RedisError, NotReachable) as error:
            reasons.append(
                f"{url}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no answer'}"
            )
            continue
        return url
    raise NotReachable(f"{service} cannot be used ({'; '.join(reasons)})")


def _check_database(url: str) -> None:
    with psycopg.connect(url, connect_timeout=TIMEOUT_SECONDS) as connection:
        role = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        row = connection.execute(role).fetchone()
    if not row or not row[0]:
        raise NotReachable("this role may not create databases")


def _check_redis(url: str) -> None:
    with redis.Redis.from_url(
        url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    ) as client:
        client.ping()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.probe", description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="print nothing if both can be used")
    args = parser.parse_args()
    found, missing = [], []
    for name, find in (("DATABASE_URL", find_database), ("REDIS_URL", find_redis)):
        url = os.environ.get(f"TEST_{name}")
        try:
            found.append(f"{name}={find([url]) if url else find()}")
        except NotReachable as error:
            missing.append(str(error))
    for reason in missing:
        print(reason, file=sys.stderr)
    if not missing and not args.quiet:
        print(*found)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
