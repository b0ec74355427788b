"""Parse form fields with brackets into nested dictionaries and lists."""

import re
from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import StripeFailure

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def parse(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`items[0][price]=a`, `expand[]=b` -> `{"items": {"0": {"price": "a"}}, "expand": {"0": "b"}}`.

    Lists stay dictionaries with numeric keys until a field that expects a list reads them.
    """
    tree: dict[str, Any] = {}
    for name, value in pairs:
        match = _NAME.match(name)
        if not match:
            raise StripeFailure(f"Invalid parameter name: {name}", saved=False)
        _insert(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value)
    return tree


def _insert(node: dict[str, Any], path: list[str], value: str) -> None:
    for step, following in zip(path, path[1:], strict=False):
        child = node.setdefault(_key(node, step, following), {})
        if not isinstance(child, dict):
            raise StripeFailure(f"Invalid nesting in parameter: {'.'.join(path)}", saved=False)
        node = child
    node[_key(node, path[-1], None)] = value


def _key(node: dict[str, Any], step: str, following: str | None) -> str:
    """Resolve an empty bracket: the next entry, unless the last one still lacks the field that follows."""
    if step:
        return step
    last = node.get(str(len(node) - 1))
    if following and isinstance(last, dict) and following not in last:
        return str(len(node) - 1)
    return str(len(node))


def as_list(value: Any) -> list[Any] | None:
    """Return the entries in numeric order, or None if this is not a list."""
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return None
