"""The sandbox's records by id, ordered and indexed, with transactions, written through to SQLite."""

import bisect
import heapq
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORMAT = 4  # The format of the records in a file. A file of another format is discarded.
Record = dict[str, Any]
Index = Callable[[Record], list[str]]


def key_of(record: Record) -> str:
    """Return the key of a record in the store: its id, or `_id` if Stripe's object has none."""
    return str(record.get("_id") or record["id"])


def _field(name: str) -> Index:
    return lambda record: [record[name]] if record.get(name) else []


INDEXES: dict[str, dict[str, Index]] = {
    "billing.meter": {"event_name": _field("event_name")},
    "billing.meter_event": {"series": _field("_series"), "identifier": _field("identifier")},
    "charge": {"customer": _field("customer"), "payment_intent": _field("payment_intent")},
    "checkout.session": {"customer": _field("customer"), "subscription": _field("subscription")},
    "customer": {"email": _field("email")},
    "customer_balance_transaction": {"customer": _field("customer")},
    "dispute": {"charge": _field("charge"), "payment_intent": _field("payment_intent")},
    "event": {"type": _field("type"), "subject": _field("_subject")},
    "invoice": {"customer": _field("customer"), "subscription": _field("_subscription")},
    "invoice_payment": {"invoice": _field("invoice"), "payment_intent": _field("_payment_intent")},
    "payment_intent": {"customer": _field("customer")},
    "payment_method": {"customer": _field("customer")},
    "price": {"product": _field("product"), "lookup_key": _field("lookup_key")},
    "refund": {"charge": _field("charge"), "payment_intent": _field("payment_intent")},
    "sandbox.delivery": {"status": _field("status"), "event": _field("event")},
    "setup_intent": {"customer": _field("customer")},
    "subscription": {
        "customer": _field("customer"),
        "item": lambda record: [item["id"] for item in record["items"]["data"]],
    },
}


class Store:
    """Records are immutable: `replace` stores a new one, so that the old can be compared or restored.

    All access happens under `lock`. A record with `_due_at` is also returned by `next_due`.
    """

    def __init__(self, path: str | None = None) -> None:
        self.lock = threading.RLock()
        self._database = _open(path) if path else None
        self._journal: list[tuple[str, Record | None]] | None = None
        self._empty()
        self._load()

    def _empty(self) -> None:
        self._records: dict[str, Record] = {}
        self._keys: dict[int, str] = {}
        self._order: dict[tuple[str, str, str], list[int]] = {}
        self._due: list[tuple[int, int, str]] = []
        self._kinds: set[str] = set()
        self._last = 0

    # Reading

    def get(self, kind: str, key: str) -> Record | None:
        record = self._records.get(key)
        return record if record and record["object"] == kind else None

    def find(self, key: str) -> Record | None:
        return self._records.get(key)

    def count(self, kind: str, **where: str) -> int:
        return len(self._sequence(kind, where))

    def kinds(self) -> list[str]:
        return sorted(kind for kind in self._kinds if self.count(kind))

    def newest(self, kind: str, *, before: Record | None = None, **where: str) -> Iterator[Record]:
        """Iterate backward from the newest (or the one before `before`); `where` names at most one index.

        Lazy: make a list of it before changing records of this kind.
        """
        sequence = self._sequence(kind, where)
        end = bisect.bisect_left(sequence, before["_seq"]) if before else len(sequence)
        return (self._records[self._keys[sequence[at]]] for at in range(end - 1, -1, -1))

    def oldest(self, kind: str, *, after: Record | None = None, **where: str) -> Iterator[Record]:
        """Iterate from the oldest (or the one after `after`) to the newest."""
        sequence = self._sequence(kind, where)
        start = bisect.bisect_right(sequence, after["_seq"]) if after else 0
        return (self._records[self._keys[sequence[at]]] for at in range(start, len(sequence)))

    def next_due(self, until: int) -> Record | None:
        """Remove and return the record that is due first, if it is due by then."""
        while self._due and self._due[0][0] <= until:
            due_at, _, key = heapq.heappop(self._due)
            record = self._records.get(key)
            # Entries are never removed from the heap: one whose record has changed is skipped.
            if record and record.get("_due_at") == due_at:
                return record
        return None

    def _sequence(self, kind: str, where: dict[str, str]) -> list[int]:
        name, value = next(iter(where.items()), ("", ""))
        return self._order.get((kind, name, value), [])

    # Writing

    def insert(self, record: Record) -> Record:
        self._last += 1
        return self._file(None, {**record, "_seq": self._last})

    def replace(self, record: Record, **changes: Any) -> Record:
        current = self._records[key_of(record)]
        return self._file(current, {**current, **changes})

    def delete(self, record: Record) -> None:
        self._file(self._records[key_of(record)], None)

    def _file(self, old: Record | None, new: Record | None) -> Record:
        self._swap(old, new)
        key = key_of(new or old or {})
        if self._journal is None:
            self._write([key])
        else:
            self._journal.append((key, old))
        return new or {}

    def _swap(self, old: Record | None, new: Record | None) -> None:
        was, now = _places(old), _places(new)
        for place in was - now:
            sequence = self._order[place]
            sequence.pop(bisect.bisect_left(sequence, old["_seq"]))  # type: ignore[index]
        for place in now - was:
            bisect.insort(self._order.setdefault(place, []), new["_seq"])  # type: ignore[index]
        if new is None:
            self._records.pop(key_of(old or {}))
            return
        self._kinds.add(new["object"])
        self._records[key_of(new)] = new
        self._keys[new["_seq"]] = key_of(new)
        # Also true when a rollback restores a record that `next_due` has taken off the heap.
        if new.get("_due_at") is not None and (old or {}).get("_due_at") != new["_due_at"]:
            heapq.heappush(self._due, (new["_due_at"], new["_seq"], key_of(new)))

    # Transactions and the file

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a transaction; an inner one joins the outer one.

        An exception rolls everything back, unless it says that it keeps its changes.
        """
        if self._journal is not None:
            yield
            return
        self._journal = []
        try:
            yield
        except BaseException as error:
            if not getattr(error, "keeps_changes", False):
                for key, old in reversed(self._journal):
                    self._swap(self._records.get(key), old)
                self._journal = []
            raise
        finally:
            # Written to the file once, at the end. After a rollback the journal is empty.
            journal, self._journal = self._journal, None
            self._write(list(dict.fromkeys(key for key, _ in journal)))

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Roll back everything that is written inside."""
        with self.transaction():
            journal = self._journal
            assert journal is not None
            begun = len(journal)
            try:
                yield
            finally:
                for key, old in reversed(journal[begun:]):
                    self._swap(self._records.get(key), old)
                del journal[begun:]

    def snapshot(self) -> list[Record]:
        """Return every record, for `restore`; nothing is copied, because records are immutable."""
        return sorted(self._records.values(), key=lambda record: record["_seq"])

    def restore(self, snapshot: list[Record]) -> None:
        """Restore exactly the records of the snapshot."""
        self.clear()
        self._hold(snapshot)
        self._write([key_of(record) for record in snapshot])

    def clear(self) -> None:
        self._empty()
        if self._database:
            self._database.execute("DELETE FROM records")
            self._database.commit()

    def close(self) -> None:
        if self._database:
            self._database.close()
            self._database = None

    def _write(self, keys: list[str]) -> None:
        if not self._database or not keys:
            return
        for key in keys:
            record = self._records.get(key)
            if record is None:
                self._database.execute("DELETE FROM records WHERE key = ?", (key,))
            else:
                self._database.execute(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                    (key, record["_seq"], json.dumps(record, separators=(",", ":"))),
                )
        self._database.commit()

    def _load(self) -> None:
        if not self._database:
            return
        rows = self._database.execute("SELECT body FROM records ORDER BY seq")
        self._hold(json.loads(body) for (body,) in rows)

    def _hold(self, records: Iterable[Record]) -> None:
        for record in records:
            self._swap(None, record)
            self._last = record["_seq"]


def _places(record: Record | None) -> set[tuple[str, str, str]]:
    # A deleted record is in no list, but is still found by its id.
    if record is None or record.get("deleted"):
        return set()
    kind = record["object"]
    places = {(kind, "", "")}
    for name, index in INDEXES.get(kind, {}).items():
        places |= {(kind, name, value) for value in index(record)}
    return places


def _open(path: str) -> sqlite3.Connection:
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    Path(path).touch(mode=0o600)
    Path(path).chmod(0o600)  # SQLite creates its auxiliary files with the same mode
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    # Faster. A power cut may damage the file, but the sandbox holds nothing that matters.
    database.execute("PRAGMA synchronous = OFF")
    if database.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
        database.execute("DROP TABLE IF EXISTS records")
        database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, seq INTEGER, body TEXT)")
    return database
