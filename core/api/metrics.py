"""Metrics of the API's rate limiter."""

from prometheus_client import Counter

LIMITER_REFUSALS = Counter("rsolv_api_limiter_refusals", "Requests refused by a limit.", ["code"])
LIMITER_UNAVAILABLE = Counter(
    "rsolv_api_limiter_unavailable", "Limit checks made while the limiter's Redis was unavailable."
)
