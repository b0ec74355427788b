"""Map methods and paths to handlers and their parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.params import Field, Listed, Shape, Text

Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Route:
    method: str
    steps: tuple[str, ...]
    shape: Shape
    handler: Handler

    def ids(self, steps: tuple[str, ...]) -> list[str] | None:
        """Return the values of the path's `{…}`, or None if the path does not match."""
        found: list[str] = []
        for mine, given in zip(self.steps, steps, strict=True):
            if mine.startswith("{"):
                found.append(given)
            elif mine != given:
                return None
        return found


_routes: dict[tuple[str, int], list[Route]] = {}


def route(method: str, path: str, fields: Mapping[str, Field] | None = None) -> Callable[[Handler], Handler]:
    """Register a handler of `method path`: `handler(env, params, *ids)`.

    Every endpoint also takes `expand`.
    """

    def register(handler: Handler) -> Handler:
        steps = tuple(path.strip("/").split("/"))
        shape = Shape({**(fields or {}), "expand": Listed(Text())})
        _routes.setdefault((method, len(steps)), []).append(Route(method, steps, shape, handler))
        return handler

    return register


def resolve(method: str, path: str) -> tuple[Route, list[str]]:
    """Return the route and the ids of a path; an unknown path raises Stripe's error."""
    steps = tuple(path.strip("/").split("/"))
    # The first match wins, so `/v1/invoices/create_preview` must be registered before `/v1/invoices/{id}`.
    for candidate in _routes.get((method, len(steps)), []):
        ids = candidate.ids(steps)
        if ids is not None:
            return candidate, ids
    message = f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs"
    raise StripeFailure(message, status=404, saved=False)
