"""RSOLV as it runs in production, on a PostgreSQL database and a Redis database of the run's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from sandbox.processes import Child, Supervisor
from sandbox.stack import CELERY, GUNICORN, HOST, Stack

WORKERS = 2
REDIS_DATABASES = range(15, 0, -1)


class NoRoom(Exception):
    """There is no empty Redis database to flush."""


@dataclass(frozen=True)
class ChaosStack(Stack):
    """Several web workers, several Celery workers that fork, beat. Stripe answers within seconds or not."""

    database_url: str = ""
    redis_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DATABASE_POOL": "6",
            "DEBUG": "false",
            "LOG_LEVEL": "WARNING",
            "SWEEP_SECONDS": "5",
            "STRIPE_TIMEOUT_SECONDS": "2",
            "API_REQUESTS_PER_MINUTE": "100000",
        }

    def start_web(self, supervisor: Supervisor) -> None:
        options = ["--bind", f"{HOST}:{self.web_port}", "--no-control-socket", "--log-level", "warning"]
        supervisor.start("web", [*GUNICORN, *options, "--workers", str(WORKERS), "--threads", "4"])

    def start_worker_named(self, supervisor: Supervisor, name: str) -> Child:
        options = ["--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING", "-n", f"{name}@chaos"]
        options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return supervisor.start(name, [*CELERY, "worker", *options])


@contextmanager
def make_database(admin_url: str) -> Iterator[str]:
    """A new, empty database, dropped at the end; its URL."""
    name = f"rsolv_chaos_{os.getpid()}"
    with connect(admin_url) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))
    finally:
        with connect(admin_url) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def connect(admin_url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(admin_url, autocommit=True, connect_timeout=10)


@contextmanager
def borrow_redis(server_url: str) -> Iterator[str]:
    """A Redis database that is empty, and is emptied at the end; its URL. Raises NoRoom."""
    for number in REDIS_DATABASES:
        url = urlunsplit(urlsplit(server_url)._replace(path=f"/{number}"))
        with redis.Redis.from_url(url) as client:
            if client.dbsize() == 0 and client.set("chaos", os.getpid(), nx=True):
                break
    else:
        raise NoRoom("every Redis database holds something")
    try:
        yield url
    finally:
        with redis.Redis.from_url(url) as client:
            client.flushdb()
