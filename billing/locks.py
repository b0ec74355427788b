"""One at a time for each Stripe customer: a read from Stripe and the write of what was read."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def lock_stripe_customer(stripe_customer_id: str) -> Iterator[None]:
    """A transaction in which nobody else mirrors this customer's state, so that no older read wins.

    An advisory lock on PostgreSQL, so that a request that locks the customer's rows need not wait for
    Stripe; on SQLite the immediate transaction is the lock.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stripe_customer_id])
        yield
