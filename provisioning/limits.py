"""How often a signup may be tried: by network address and by mail address."""

from rsolv.api.limiter import Limit
from rsolv.api.throttling import hit

from .addresses import find_mailbox

BY_ADDRESS = Limit("signup-address", 10, seconds=3600)
BY_MAILBOX = Limit("signup-mailbox", 3, seconds=86400)


def count_signup(*, email: str, address: str) -> None:
    """One more attempt, whatever comes of it. Raises rsolv.api.errors.RateLimited past a limit."""
    hit(BY_ADDRESS, caller=address)
    hit(BY_MAILBOX, caller=find_mailbox(email))
