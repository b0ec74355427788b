"""RSOLV as in production, on PostgreSQL and Redis databases that are created for a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from .processes import Child, Supervisor
from .stack import GUNICORN, HOST, WORKER, Stack

REDIS_DATABASES = range(15, 0, -1)


class NoFreeRedisDatabase(Exception):
    """Every Redis database contains keys."""


@dataclass(frozen=True)
class ServicesStack(Stack):
    """The production configuration: several gunicorn workers, prefork Celery workers, beat."""

    database_url: str = ""
    redis_url: str = ""
    web_workers: int = 2
    web_threads: int = 4

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DEBUG": "false",
            "LOG_LEVEL": "WARNING",
        }

    def start_web(self, supervisor: Supervisor) -> None:
        options = ["--bind", f"{HOST}:{self.web_port}", "--no-control-socket", "--log-level", "warning"]
        options += ["--workers", str(self.web_workers), "--threads", str(self.web_threads)]
        supervisor.start("web", [*GUNICORN, *options])

    def start_worker_named(self, supervisor: Supervisor, name: str) -> Child:
        return supervisor.start(name, [*WORKER, *self.list_worker_options(name)])

    def list_worker_options(self, name: str) -> list[str]:
        options = [
            "--pool",
            "prefork",
            "--concurrency",
            "2",
            "--loglevel",
            "WARNING",
            "-n",
            f"{name}@sandbox",
        ]
        options += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        return [*options, "--without-heartbeat"]


@contextmanager
def create_database(admin_url: str, *, purpose: str) -> Iterator[str]:
    """Create an empty database, yield its URL, and drop it at the end."""
    name = f"rsolv_{purpose}_{os.getpid()}"
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
    """Reserve an empty Redis database, yield its URL, and flush it at the end. Raises NoFreeRedisDatabase."""
    for number in REDIS_DATABASES:
        url = urlunsplit(urlsplit(server_url)._replace(path=f"/{number}"))
        with redis.Redis.from_url(url) as client:
            # The key reserves the database against another run that looks at the same time.
            if client.dbsize() == 0 and client.set("borrowed", os.getpid(), nx=True):
                break
    else:
        raise NoFreeRedisDatabase("every Redis database contains keys")
    try:
        yield url
    finally:
        with redis.Redis.from_url(url) as client:
            client.flushdb()
