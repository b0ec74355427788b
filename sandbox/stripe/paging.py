"""Lists: newest first, limited by `limit`, `starting_after` and `ending_before`."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from sandbox.stripe.errors import missing_object
from sandbox.stripe.params import within
from sandbox.stripe.render import listed
from sandbox.stripe.store import Record, Store


def page(
    store: Store,
    kind: str,
    params: dict[str, Any],
    url: str,
    *,
    keep: Callable[[Record], bool] = lambda record: True,
    **where: str | None,
) -> Record:
    """Return one page of a kind. `where` may name one index; `keep` filters what the index returns."""
    chosen = {name: value for name, value in where.items() if value}
    # The store uses one index; `matches` filters by the others.
    index = dict(list(chosen.items())[:1])
    limit = params.get("limit", 10)

    def matches(record: Record) -> bool:
        return (
            within(record["created"], params.get("created"))
            and all(record.get(name) == value for name, value in chosen.items() if name not in index)
            and keep(record)
        )

    if params.get("ending_before"):
        cursor = _cursor(store, kind, params["ending_before"], "ending_before")
        found = _first(filter(matches, store.oldest(kind, after=cursor, **index)), limit)
        return listed(url, found[:limit][::-1], has_more=len(found) > limit)
    before = None
    if params.get("starting_after"):
        before = _cursor(store, kind, params["starting_after"], "starting_after")
    found = _first(filter(matches, store.newest(kind, before=before, **index)), limit)
    return listed(url, found[:limit], has_more=len(found) > limit)


def _first(records: Iterable[Record], limit: int) -> list[Record]:
    # One more than asked for, to know whether there are more.
    return list(islice(records, limit + 1))


def _cursor(store: Store, kind: str, id: str, param: str) -> Record:
    record = store.get(kind, id)
    if record is None:
        raise missing_object(kind, id, param)
    return record
