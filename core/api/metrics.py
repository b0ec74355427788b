"""Metrics of the API's rate limiter."""

from prometheus_client import Counter

LIMITER_REJECTIONS = Counter("rsolv_api_limiter_rejections", "Requests rejected by a limit.", ["code"])
LIMITER_UNAVAILABLE = Counter(
    "rsolv_api_limiter_unavailable", "Limit checks made while the limiter's Redis was unavailable."
)
