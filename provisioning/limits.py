"""Rate limits on signups: per network, per mailbox, and in total for signups without a browser."""

import structlog
from django.conf import settings

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import hit
from customers.addresses import find_mailbox

from .metrics import ONBOARDING_STOPPED

log = structlog.get_logger(__name__)

BY_ADDRESS = Limit("signup-address", 10, seconds=3600)
BY_MAILBOX = Limit("signup-mailbox", 3, seconds=86400)


def count_signup(*, email: str, address: str) -> None:
    """Count an attempt by form, successful or not. Raises core.api.errors.RateLimited past a limit.

    Mailboxes are counted per network: attempts from elsewhere cannot block the mailbox's owner.
    """
    hit(BY_ADDRESS, caller=address)
    hit(BY_MAILBOX, caller=f"{find_mailbox(email)} {address}")


def count_onboarding(*, email: str, address: str) -> None:
    """Count an attempt without a browser. Raises core.api.errors.RateLimited past a limit.

    ONBOARDINGS_PER_HOUR limits all callers together, as the last bound on mail to strangers. The form still
    works.
    """
    hit(BY_ADDRESS, caller=address)
    hit(BY_MAILBOX, caller=find_mailbox(email))
    try:
        hit(Limit("onboarding-all", settings.ONBOARDINGS_PER_HOUR, seconds=3600), caller="all")
    except RateLimited:
        ONBOARDING_STOPPED.inc()
        log.error("onboarding_stopped", per_hour=settings.ONBOARDINGS_PER_HOUR)
        raise
