"""Locks on names that have no row to lock."""

from django.db import connection


def lock_name(kind: str, *parts: str) -> None:
    """Hold a lock on this name until the transaction ends, waiting for other holders.

    Call it inside a transaction. PostgreSQL uses an advisory lock; on SQLite the immediate transaction
    already is the lock. `kind` separates names of different purposes. Parts are compared case-insensitively.
    """
    if connection.vendor == "postgresql":
        name = ":".join((kind, *(part.lower() for part in parts)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
