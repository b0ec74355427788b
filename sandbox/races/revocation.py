"""A race: many threads authenticate with keys while these are ended, in every way that there is.

An authentication that began after the act returned must be refused. Which keys are tried follows the acts
closely; entries and the lease are lost at random meanwhile, as when they run out: so fills race with acts.
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

from core.redis.client import find_link
from customers import key_cache, keys
from customers.models import ApiKey, Customer, User
from customers.services import authenticate_api_key, block_customer, revoke_api_key, rotate_api_key

# How far the keys that are tried lie around those that are being ended.
BEHIND, AHEAD = 4, 2
NAME = "Race of revocations"


@dataclass
class Runner:
    """A key in the race. `ended_at` is when the act had returned, by the clock that nothing sets back."""

    raw: str
    api_key: ApiKey
    way: str
    ended_at: float | None = None


@dataclass(frozen=True)
class Verdict:
    """`accepted_after_end` must be 0. `soonest_us`: how soon after an act the key was tried, and refused."""

    authentications: int
    revocations: int
    threads: int
    accepted: int
    refused: int
    accepted_after_end: int
    soonest_us: int | None
    median_us: int
    seconds: float
    ways: dict[str, int] = field(default_factory=dict)
    accepted_after_end_by_way: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Attempt:
    runner: Runner
    began_at: float
    seconds: float
    is_accepted: bool


def run_race(*, authentications: int, revocations: int, threads: int, seed: int = 1) -> Verdict:
    """Run it in an installation whose database may be written to; what it makes it deletes again."""
    with _stage(revocations) as (runners, staff):
        race = _Race(runners, staff, authentications, threads, seed)
        return race.run()


class _Race:
    def __init__(
        self, runners: list[Runner], staff: User, authentications: int, threads: int, seed: int
    ) -> None:
        self._runners, self._staff = runners, staff
        self._authentications, self._threads, self._seed = authentications, threads, seed
        self._front = 0
        self._tried = 0
        self._is_over = threading.Event()

    def run(self) -> Verdict:
        began_at = time.monotonic()
        with ThreadPoolExecutor(self._threads + 2) as pool:
            ending = pool.submit(self._end_keys)
            losing = pool.submit(self._lose_entries)
            trying = [pool.submit(self._try_keys, number) for number in range(self._threads)]
            attempts = [attempt for each in trying for attempt in each.result()]
            self._is_over.set()
            ending.result()
            losing.result()
        return self._judge(attempts, time.monotonic() - began_at)

    def _try_keys(self, number: int) -> list[Attempt]:
        chance, attempts = random.Random(f"{self._seed} {number}"), []
        for _ in range(self._authentications // self._threads):
            index = self._front + chance.randint(-BEHIND, AHEAD)
            runner = self._runners[min(max(index, 0), len(self._runners) - 1)]
            began_at = time.monotonic()
            is_accepted = authenticate_api_key(runner.raw) is not None
            attempts.append(Attempt(runner, began_at, time.monotonic() - began_at, is_accepted))
            self._tried += 1
        connection.close()
        return attempts

    def _end_keys(self) -> None:
        """In step with the authentications, so that the acts are spread over all of them."""
        share = self._authentications / len(self._runners)
        for number, runner in enumerate(self._runners):
            while self._tried < number * share and not self._is_over.is_set():
                time.sleep(0.0005)
            self._front = number
            WAYS[runner.way](runner, self._staff)
            runner.ended_at = time.monotonic()
        connection.close()

    def _lose_entries(self) -> None:
        link, chance = find_link(), random.Random(self._seed)
        while link is not None and not self._is_over.wait(0.003):
            near = self._runners[self._front : self._front + AHEAD]
            name = key_cache.ENTRIES + keys.hash_key(chance.choice(near).raw)
            link.client.delete(*([name] if chance.random() < 0.95 else [name, key_cache.LEASE]))

    def _judge(self, attempts: list[Attempt], seconds: float) -> Verdict:
        after = [each for each in attempts if each.runner.ended_at and each.began_at > each.runner.ended_at]
        wrong = [each for each in after if each.is_accepted]
        gaps = [each.began_at - (each.runner.ended_at or 0) for each in after if not each.is_accepted]
        accepted = sum(each.is_accepted for each in attempts)
        return Verdict(
            authentications=len(attempts),
            revocations=sum(runner.ended_at is not None for runner in self._runners),
            threads=self._threads,
            accepted=accepted,
            refused=len(attempts) - accepted,
            accepted_after_end=len(wrong),
            soonest_us=round(min(gaps) * 1e6) if gaps else None,
            median_us=round(sorted(each.seconds for each in attempts)[len(attempts) // 2] * 1e6),
            seconds=round(seconds, 1),
            ways=dict(Counter(runner.way for runner in self._runners)),
            accepted_after_end_by_way=dict(Counter(each.runner.way for each in wrong)),
        )


def _revoke(runner: Runner, staff: User) -> None:
    revoke_api_key(api_key=runner.api_key, at=timezone.now(), by=staff)


def _rotate(runner: Runner, staff: User) -> None:
    rotate_api_key(api_key=runner.api_key, overlap=timedelta(0), by=staff, at=timezone.now())


def _block(runner: Runner, staff: User) -> None:
    block_customer(customer=runner.api_key.customer, by=staff, at=timezone.now())


def _close(runner: Runner, staff: User) -> None:
    Customer.objects.filter(pk=runner.api_key.customer_id).update(closed_at=timezone.now())


def _revoke_in_bulk(runner: Runner, staff: User) -> None:
    ApiKey.objects.filter(customer=runner.api_key.customer_id).update(revoked_at=timezone.now())


def _expire(runner: Runner, staff: User) -> None:
    runner.api_key.expires_at = timezone.now()
    runner.api_key.save(update_fields=["expires_at"])


def _delete(runner: Runner, staff: User) -> None:
    ApiKey.objects.filter(pk=runner.api_key.pk).delete()


WAYS: dict[str, Callable[[Runner, User], None]] = {
    "revoked": _revoke,
    "rotated": _rotate,
    "blocked": _block,
    "closed": _close,
    "revoked in bulk": _revoke_in_bulk,
    "expired": _expire,
    "deleted": _delete,
}


@contextmanager
def _stage(count: int) -> Iterator[tuple[list[Runner], User]]:
    """As many customers with a key each; gone again afterwards."""
    run = secrets.token_hex(4)
    staff = User.objects.create(email=f"race-{run}@example.com", is_staff=True)
    customers = Customer.objects.bulk_create(
        Customer(name=NAME, email=f"race-{run}-{number}@example.com") for number in range(count)
    )
    raws = [keys.generate_key() for _ in customers]
    rows = ApiKey.objects.bulk_create(
        ApiKey(customer=customer, name="race", prefix=raw[:12], key_hash=keys.hash_key(raw))
        for customer, raw in zip(customers, raws, strict=True)
    )
    ways = list(WAYS)
    try:
        yield (
            [
                Runner(raw, row, ways[number % len(ways)])
                for number, (raw, row) in enumerate(zip(raws, rows, strict=True))
            ],
            staff,
        )
    finally:
        Customer.objects.filter(pk__in=[customer.pk for customer in customers]).delete()
        staff.delete()
