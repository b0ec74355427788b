"""Rate limits on mail to addresses that somebody else may have typed in."""

from uuid import UUID

from django.utils.translation import gettext_noop, ngettext

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import hit
from core.errors import DomainError

from .addresses import find_mailbox

DAY = 86400
# Limits on invitations: per sender, per customer, and per recipient mailbox whoever sends.
BY_SENDER = Limit("invitations-of-sender", 20, seconds=3600)
BY_CUSTOMER = Limit("invitations-of-customer", 50, seconds=DAY)
TO_MAILBOX = (Limit("invitation-again", 1, seconds=60), Limit("invitations-to-mailbox", 5, seconds=DAY))
# Limits on mail that anybody can trigger by typing an address, for all addresses of a mailbox together.
UNSOLICITED = (
    Limit("unsolicited-mail-hour", 10, seconds=3600),
    Limit("unsolicited-mail-day", 30, seconds=DAY),
)
# Limits on password resets and codes, per address: a flood to other addresses of the mailbox must not block
# the owner's.
ESSENTIAL = (Limit("needed-mail-hour", 10, seconds=3600), Limit("needed-mail-day", 50, seconds=DAY))


class TooManyMails(DomainError):
    code, status = "TOO_MANY_MAILS", 429

    def __init__(self, template: str, error: RateLimited) -> None:
        super().__init__(template, params={"time": describe_wait(error.rate_limit_status.seconds_left)})


def count_invitation(*, sender: int, customer: UUID, email: str) -> None:
    """Count one invitation mail. Raises TooManyMails if a limit is exceeded."""
    for limits, caller, words in (
        ((BY_SENDER,), str(sender), gettext_noop("You have sent many invitations. Try again in %(time)s.")),
        (
            (BY_CUSTOMER,),
            str(customer),
            gettext_noop(
                "Your account has sent the maximum number of invitations per day. Try again in %(time)s."
            ),
        ),
        (
            TO_MAILBOX,
            find_mailbox(email),
            gettext_noop(
                "This address was sent an invitation a moment ago, or several today. Try again in %(time)s."
            ),
        ),
    ):
        try:
            hit(*limits, caller=caller)
        except RateLimited as error:
            raise TooManyMails(words, error) from error


def is_mail_limit_reached(email: str, *, is_essential: bool) -> bool:
    """Count one mail that the recipient may not have asked for. Return whether it is over a limit.

    `is_essential`: the recipient cannot get in without it, so it is counted for the address alone.
    """
    try:
        hit(
            *(ESSENTIAL if is_essential else UNSOLICITED),
            caller=email.lower() if is_essential else find_mailbox(email),
        )
    except RateLimited:
        return True
    return False


def describe_wait(seconds: int) -> str:
    """Return a duration in words, rounded up."""
    if seconds < 120:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 7200:
        minutes = -(-seconds // 60)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = -(-seconds // 3600)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
