"""Check that ended API keys are rejected: threads authenticate while keys are ended by every method.

An authentication that begins after the method has returned must be rejected. The threads use keys close to
the one that is being ended. Cache entries and the lease are deleted at random, as if they had expired, so
that filling the cache races with ending the key.
"""

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from core.redis.client import get_redis_client
from customers import key_cache, keys
from customers.models import ApiKey, Customer, User
from customers.services.authenticate_key import authenticate_api_key
from customers.services.block_customer import block_customer
from customers.services.manage_keys import revoke_api_key, rotate_api_key

# The threads use keys up to this many places before and after the one that is being ended.
BEHIND, AHEAD = 4, 2
NAME = "Revocation check"


@dataclass
class KeyUnderTest:
    """An API key, and the method that ends it. `ended_at` is the monotonic time when the method returned."""

    raw: str
    api_key: ApiKey
    method: str
    ended_at: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The result. `accepted_after_end` must be 0.

    `soonest_us` is the shortest time from a key's end to an attempt that was rejected, `median_us` the
    median duration of an authentication, both in microseconds.
    """

    authentications: int
    revocations: int
    threads: int
    accepted: int
    rejected: int
    accepted_after_end: int
    soonest_us: int | None
    median_us: int
    seconds: float
    methods: dict[str, int] = field(default_factory=dict)
    accepted_after_end_by_method: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Attempt:
    key_under_test: KeyUnderTest
    began_at: float
    seconds: float
    is_accepted: bool


def run_check(*, authentications: int, revocations: int, threads: int, seed: int = 1) -> Verdict:
    """Run the check. Creates its own customers and keys, and deletes them again. Needs Redis."""
    with _create_keys(revocations) as (keys_under_test, staff):
        check = _RevocationCheck(keys_under_test, staff, authentications, threads, seed)
        return check.run()


class _RevocationCheck:
    def __init__(
        self, keys_under_test: list[KeyUnderTest], staff: User, authentications: int, threads: int, seed: int
    ) -> None:
        self._keys_under_test, self._staff = keys_under_test, staff
        self._authentications, self._threads, self._seed = authentications, threads, seed
        self._current = 0
        self._tried = 0
        self._is_over = threading.Event()

    def run(self) -> Verdict:
        began_at = time.monotonic()
        with ThreadPoolExecutor(self._threads + 2) as pool:
            ending = pool.submit(self._end_keys)
            losing = pool.submit(self._drop_cache_entries)
            trying = [pool.submit(self._try_keys, number) for number in range(self._threads)]
            attempts = [attempt for each in trying for attempt in each.result()]
            self._is_over.set()
            ending.result()
            losing.result()
        return self._judge(attempts, time.monotonic() - began_at)

    def _try_keys(self, number: int) -> list[Attempt]:
        rng, attempts = random.Random(f"{self._seed} {number}"), []
        for _ in range(self._authentications // self._threads):
            index = self._current + rng.randint(-BEHIND, AHEAD)
            key_under_test = self._keys_under_test[min(max(index, 0), len(self._keys_under_test) - 1)]
            began_at = time.monotonic()
            is_accepted = authenticate_api_key(key_under_test.raw) is not None
            attempts.append(Attempt(key_under_test, began_at, time.monotonic() - began_at, is_accepted))
            self._tried += 1
        connection.close()
        return attempts

    def _end_keys(self) -> None:
        """End the keys at an even rate over all authentications."""
        share = self._authentications / len(self._keys_under_test)
        for number, key_under_test in enumerate(self._keys_under_test):
            while self._tried < number * share and not self._is_over.is_set():
                time.sleep(0.0005)
            self._current = number
            METHODS[key_under_test.method](key_under_test, self._staff)
            key_under_test.ended_at = time.monotonic()
        connection.close()

    def _drop_cache_entries(self) -> None:
        link, rng = get_redis_client(), random.Random(self._seed)
        while link is not None and not self._is_over.wait(0.003):
            near = self._keys_under_test[self._current : self._current + AHEAD]
            name = key_cache.ENTRIES + keys.hash_key(rng.choice(near).raw)
            link.client.delete(*([name] if rng.random() < 0.95 else [name, key_cache.LEASE]))

    def _judge(self, attempts: list[Attempt], seconds: float) -> Verdict:
        after = [
            each
            for each in attempts
            if each.key_under_test.ended_at and each.began_at > each.key_under_test.ended_at
        ]
        wrong = [each for each in after if each.is_accepted]
        gaps = [each.began_at - (each.key_under_test.ended_at or 0) for each in after if not each.is_accepted]
        accepted = sum(each.is_accepted for each in attempts)
        return Verdict(
            authentications=len(attempts),
            revocations=sum(key_under_test.ended_at is not None for key_under_test in self._keys_under_test),
            threads=self._threads,
            accepted=accepted,
            rejected=len(attempts) - accepted,
            accepted_after_end=len(wrong),
            soonest_us=round(min(gaps) * 1e6) if gaps else None,
            median_us=round(sorted(each.seconds for each in attempts)[len(attempts) // 2] * 1e6),
            seconds=round(seconds, 1),
            methods=dict(Counter(key_under_test.method for key_under_test in self._keys_under_test)),
            accepted_after_end_by_method=dict(Counter(each.key_under_test.method for each in wrong)),
        )


def _revoke(key_under_test: KeyUnderTest, staff: User) -> None:
    revoke_api_key(api_key=key_under_test.api_key, at=timezone.now(), by=staff)


def _rotate(key_under_test: KeyUnderTest, staff: User) -> None:
    rotate_api_key(api_key=key_under_test.api_key, overlap=timedelta(0), by=staff, at=timezone.now())


def _block(key_under_test: KeyUnderTest, staff: User) -> None:
    block_customer(customer=key_under_test.api_key.customer, by=staff, at=timezone.now())


def _close(key_under_test: KeyUnderTest, staff: User) -> None:
    Customer.objects.filter(pk=key_under_test.api_key.customer_id).update(closed_at=timezone.now())


def _revoke_in_bulk(key_under_test: KeyUnderTest, staff: User) -> None:
    ApiKey.objects.filter(customer=key_under_test.api_key.customer_id).update(revoked_at=timezone.now())


def _expire(key_under_test: KeyUnderTest, staff: User) -> None:
    key_under_test.api_key.expires_at = timezone.now()
    key_under_test.api_key.save(update_fields=["expires_at"])


def _delete(key_under_test: KeyUnderTest, staff: User) -> None:
    ApiKey.objects.filter(pk=key_under_test.api_key.pk).delete()


METHODS: dict[str, Callable[[KeyUnderTest, User], None]] = {
    "revoked": _revoke,
    "rotated": _rotate,
    "blocked": _block,
    "closed": _close,
    "revoked in bulk": _revoke_in_bulk,
    "expired": _expire,
    "deleted": _delete,
}


@contextmanager
def _create_keys(count: int) -> Iterator[tuple[list[KeyUnderTest], User]]:
    """Create customers with one key each and a staff user, and delete them at the end."""
    run = secrets.token_hex(4)
    staff = User.objects.create(email=f"revocation-{run}@example.com", is_staff=True)
    customers = Customer.objects.bulk_create(
        Customer(name=NAME, email=f"revocation-{run}-{number}@example.com") for number in range(count)
    )
    raws = [keys.generate_key() for _ in customers]
    rows = ApiKey.objects.bulk_create(
        ApiKey(customer=customer, name="revocation check", prefix=raw[:12], key_hash=keys.hash_key(raw))
        for customer, raw in zip(customers, raws, strict=True)
    )
    methods = list(METHODS)
    try:
        yield (
            [
                KeyUnderTest(raw, row, methods[number % len(methods)])
                for number, (raw, row) in enumerate(zip(raws, rows, strict=True))
            ],
            staff,
        )
    finally:
        Customer.objects.filter(pk__in=[customer.pk for customer in customers]).delete()
        staff.delete()
