"""Locks on what has no row of its own. They last until the transaction ends."""

from django.db import connection


def lock_name(kind: str, *parts: str) -> None:
    """Wait until no other transaction holds this name, then hold it. Call it inside a transaction.

    An advisory lock on PostgreSQL; on SQLite the immediate transaction is the lock. `kind` keeps names of
    different purposes apart. Parts are compared without case.
    """
    if connection.vendor == "postgresql":
        name = ":".join((kind, *(part.lower() for part in parts)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
