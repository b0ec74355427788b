"""Render records as the API returns them: without private fields (`_names`), with `expand` applied."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.stripe.errors import bad_parameter
from sandbox.stripe.store import Record, Store

Presenter = Callable[[Store, Record], Record]
_presenters: dict[str, Presenter] = {}
_hidden: dict[tuple[str, str], Callable[[Store, Record], Any]] = {}


def presents(kind: str) -> Callable[[Presenter], Presenter]:
    """Register the renderer of a kind that is more than its record."""

    def register(presenter: Presenter) -> Presenter:
        _presenters[kind] = presenter
        return presenter

    return register


def hidden(
    kind: str, name: str
) -> Callable[[Callable[[Store, Record], Any]], Callable[[Store, Record], Any]]:
    """Register a field that appears only when expanded."""

    def register(compute: Callable[[Store, Record], Any]) -> Callable[[Store, Record], Any]:
        _hidden[kind, name] = compute
        return compute

    return register


def without_ours(record: Record) -> Record:
    return {name: value for name, value in record.items() if name[0] != "_"}


def present(store: Store, record: Record) -> Record:
    """Return the object as in a response, nothing expanded. Do not modify nested values."""
    if record.get("deleted"):
        return {"id": record["id"], "object": record["object"], "deleted": True}
    presenter = _presenters.get(record["object"])
    return presenter(store, record) if presenter else without_ours(record)


def expanded(store: Store, view: Record, paths: Iterable[str]) -> Record:
    """Return a copy in which each path (`customer`, `data.items.data.price.product`) is expanded."""
    paths = list(paths)
    if not paths:
        return view
    view = copy.deepcopy(view)
    for path in paths:
        _expand(store, view, path.split("."), path)
    return view


def _expand(store: Store, view: Record, steps: list[str], path: str) -> None:
    step, *rest = steps
    if view.get("deleted"):
        return  # The object no longer exists, so it cannot be expanded.
    if isinstance(view.get(step), list):
        view[step] = [_object(store, entry, path) for entry in view[step]]
        for entry in view[step] if rest else []:
            _expand(store, entry, rest, path)
        return
    if step not in view:
        compute = _hidden.get((view.get("object", ""), step))
        if compute is None:
            raise bad_parameter(f"This property cannot be expanded ({path}).", None, "expand")
        view[step] = copy.deepcopy(compute(store, view))
    elif view[step] is not None:
        view[step] = _object(store, view[step], path)
    if rest and isinstance(view[step], dict):
        _expand(store, view[step], rest, path)


def _object(store: Store, value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return value
    record = store.find(value) if isinstance(value, str) else None
    if record is None:
        raise bad_parameter(f"This property cannot be expanded ({path}).", None, "expand")
    return copy.deepcopy(present(store, record))


def listed(url: str, data: list[Any], *, has_more: bool = False) -> Record:
    """Return Stripe's list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
