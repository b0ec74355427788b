"""The tests' database. On PostgreSQL its tables are made once, as a template that each process clones.

Making some 150 tables takes seconds, cloning them a fraction of one. The template's name carries a hash of
all models, so a changed model gets another template. No test writes to a template.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import django
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases

from billing import ledger
from sandbox.tables import NoMigrations

BUILD_LOCK = 7_264_301  # the advisory lock of the process that creates a template


@contextmanager
def lend_database() -> Iterator[None]:
    """Point Django at an empty database with all tables, which is dropped afterwards."""
    settings.MIGRATION_MODULES = NoMigrations()
    if connection.vendor == "postgresql":
        with _lend_clone():
            yield
    else:
        replaced = setup_databases(verbosity=0, interactive=False)
        yield
        teardown_databases(replaced, verbosity=0)


@contextmanager
def _lend_clone() -> Iterator[None]:
    test_name = connection.creation._get_test_db_name()
    own_name = connection.settings_dict["NAME"]
    _clone(own_name, test_name)
    _use(test_name)
    remover, flush = RowRemover(), TransactionTestCase._fixture_teardown
    try:
        with mock.patch.object(
            TransactionTestCase, "_fixture_teardown", lambda case: remover.remove(lambda: flush(case))
        ):
            yield
    finally:
        _use(own_name)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quote(test_name)} WITH (FORCE)")


def hash_models() -> str:
    """Return a hash of all tables, which is equal in every process."""
    described = [_describe(model) for model in apps.get_models(include_auto_created=True)]
    text = re.sub(r" at 0x[0-9a-f]+", "", repr([django.VERSION, inspect.getsource(ledger), *described]))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class RowRemover:
    """Empties the tables that a test without its own transaction has filled.

    Django's flush truncates every table and creates all permissions again, a second per test. This deletes
    rows only from tables that have any, with triggers and foreign keys off. It falls back to Django's flush
    if the role may not do so, or if a table that the template filled has gained or lost rows.
    """

    def __init__(self) -> None:
        self._tables = connection.introspection.table_names()
        self._counts = self._count_rows()

    def remove(self, flush: Callable[[], None]) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for table in set(self._list_filled()) - set(self._counts):
                    cursor.execute(f"DELETE FROM {_quote(table)}")  # noqa: S608 - a table of ours
        except ProgrammingError:
            flush()
        if self._count_rows() != self._counts:
            flush()

    def _list_filled(self) -> list[str]:
        checks = (f"SELECT '{each}' WHERE EXISTS (SELECT 1 FROM {_quote(each)})" for each in self._tables)  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(checks))
            return [name for (name,) in cursor.fetchall()]

    def _count_rows(self) -> dict[str, int]:
        """Return the number of rows of each table that has any."""
        counts = {}
        with connection.cursor() as cursor:
            for table in self._list_filled():
                cursor.execute(f"SELECT count(*) FROM {_quote(table)}")  # noqa: S608
                counts[table] = cursor.fetchone()[0]
        return counts


def _describe(model: Any) -> tuple[Any, ...]:
    meta = model._meta
    fields = [(field.db_type(connection), field.deconstruct()) for field in meta.local_fields]
    rules = [each.deconstruct() for each in (*meta.indexes, *meta.constraints)]
    names = (meta.label, meta.db_table, str(meta.verbose_name), meta.permissions, meta.default_permissions)
    return (*names, meta.unique_together, fields, rules)


def _clone(own_name: str, test_name: str) -> None:
    prefix = f"test_{own_name[:30]}_template_"
    template = prefix + hash_models()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [BUILD_LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        kept = {name for (name,) in cursor.fetchall()}
        if template not in kept:
            _make_template(cursor, template, kept)
        cursor.execute(f"DROP DATABASE IF EXISTS {_quote(test_name)} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {_quote(test_name)} TEMPLATE {_quote(template)}")
        # A test database need not survive a crash of the server.
        cursor.execute(f"ALTER DATABASE {_quote(test_name)} SET synchronous_commit = off")


def _make_template(cursor: Any, template: str, outdated: set[str]) -> None:
    """Create the template under another name first, so that an incomplete one is never cloned."""
    own_name = connection.settings_dict["NAME"]
    building = f"{template}_building"
    options = connection.settings_dict["TEST"]
    test_name, options["NAME"] = options["NAME"], building
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        options["NAME"] = test_name
        _use(own_name)
    for name in outdated:
        cursor.execute(f"DROP DATABASE IF EXISTS {_quote(name)} WITH (FORCE)")
    cursor.execute(f"ALTER DATABASE {_quote(building)} RENAME TO {_quote(template)}")


def _use(name: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined] # PostgreSQL's
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _quote(name: str) -> str:
    return connection.ops.quote_name(name)
