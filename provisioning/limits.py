"""How often a signup may be tried: by network address, by mail address, and without a browser in all."""

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
    """One more attempt by form, whatever comes of it. Raises core.api.errors.RateLimited past a limit.

    A mailbox is counted for each network apart: nobody elsewhere keeps its owner from signing up.
    """
    hit(BY_ADDRESS, caller=address)
    hit(BY_MAILBOX, caller=f"{find_mailbox(email)} {address}")


def count_onboarding(*, email: str, address: str) -> None:
    """One more signup without a browser. Raises core.api.errors.RateLimited past a limit.

    ONBOARDINGS_PER_HOUR counts all callers: the last bound on what strangers are mailed. The form goes on.
    """
    hit(BY_ADDRESS, caller=address)
    hit(BY_MAILBOX, caller=find_mailbox(email))
    try:
        hit(Limit("onboarding-all", settings.ONBOARDINGS_PER_HOUR, seconds=3600), caller="all")
    except RateLimited:
        ONBOARDING_STOPPED.inc()
        log.error("onboarding_stopped", per_hour=settings.ONBOARDINGS_PER_HOUR)
        raise
