"""Measure authentication alone, in this process and without a server."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.test import RequestFactory, override_settings
from rest_framework.request import Request
from rest_framework_api_key.permissions import HasAPIKey

from customers.api.auth import ApiKeyAuthentication

from .cases import make_library_key
from .rows import Seeded

ROUNDS, REPEATS = 7, 200


def time_authentication(name: str, seeded: Seeded) -> dict[str, float]:
    """Return `authentication_us`, in microseconds, for the cases that authenticate, and {} for the others."""
    work = {
        "authenticate_cached": _authenticate_ours,
        "authenticate_uncached": _authenticate_ours,
        "authenticate_library": _authenticate_library,
    }.get(name)
    if work is None:
        return {}
    seconds = 0 if name == "authenticate_uncached" else settings.KEY_CACHE_SECONDS
    with override_settings(KEY_CACHE_SECONDS=seconds):
        return {"authentication_us": round(_time(work(seeded)), 1)}


def _authenticate_ours(seeded: Seeded) -> Callable[[], Any]:
    request = Request(RequestFactory().get("/", headers={"X-API-Key": seeded.large.key}))
    return lambda: ApiKeyAuthentication().authenticate(request)


def _authenticate_library(seeded: Seeded) -> Callable[[], Any]:
    request: Any = RequestFactory().get("/", headers={"X-Library-Key": make_library_key()})
    return lambda: HasAPIKey().has_permission(request, None)


def _time(work: Callable[[], Any]) -> float:
    """Return the median of the rounds' means, in microseconds. Raises AssertionError if it fails."""
    assert work(), "not authenticated"
    means = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(REPEATS):
            work()
        means.append((time.perf_counter() - began) / REPEATS * 1_000_000)
    return statistics.median(means)
