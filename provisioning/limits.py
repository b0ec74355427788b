"""How often a signup may be tried: by network address and by mail address."""

from limits import RateLimitItemPerDay, RateLimitItemPerHour

from rsolv.api.throttling import hit

from .addresses import find_mailbox

BY_ADDRESS = RateLimitItemPerHour(10, namespace="signup-address")
BY_MAILBOX = RateLimitItemPerDay(3, namespace="signup-mailbox")


def count_signup(*, email: str, address: str) -> None:
    """One more attempt, whatever comes of it. Raises rsolv.api.errors.RateLimited past a limit."""
    hit(BY_ADDRESS, address, code="RATE_LIMIT_EXCEEDED")
    hit(BY_MAILBOX, find_mailbox(email), code="RATE_LIMIT_EXCEEDED")
