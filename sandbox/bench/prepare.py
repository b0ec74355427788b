"""Prepare a measurement: create its own databases with all tables, and set Django up on them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from sandbox import probe
from sandbox.processes import pick_port
from sandbox.services import borrow_redis, create_database

from .stack import BenchStack

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000


@contextmanager
def prepare(data_dir: Path) -> Iterator[BenchStack]:
    """Create databases with all tables, use them in this process, and drop them at the end.

    Raises NotReachable or NoFreeRedisDatabase.
    """
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    redis_url = os.environ.get("TEST_REDIS_URL") or probe.find_redis()
    shutil.rmtree(data_dir, ignore_errors=True)
    with (
        create_database(admin_url, purpose="bench") as database_url,
        borrow_redis(redis_url) as own_redis_url,
    ):
        port = FIRST_PORT + os.getpid() * 2 % 10_000
        stack = BenchStack(data_dir, pick_port(port), 9, database_url, own_redis_url)
        stack.prepare()
        django.setup()
        from sandbox.tables import create_tables

        create_tables()
        yield stack
