"""A lock per Stripe customer around a read from Stripe and the write of what was read."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def lock_stripe_customer(stripe_customer_id: str) -> Iterator[None]:
    """Open a transaction in which no other process mirrors this customer's state.

    Without the lock, a slow read from Stripe could overwrite the result of a later one. It is an advisory
    lock on PostgreSQL, not a row lock, so that requests which lock the account's row do not wait for Stripe.
    On SQLite the immediate transaction is the lock. Reentrant within a transaction, and released at its end.
    Take it before the account's row lock.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # PostgreSQL's advisory locks are 64-bit numbers.
                # Customers whose hashes collide only wait for each other.
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stripe_customer_id])
        yield
