"""How often mail goes to addresses that somebody else typed in."""

from uuid import UUID

from django.utils.translation import gettext_noop, ngettext

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import hit
from core.errors import DomainError

from .addresses import find_mailbox

DAY = 86400
# Of invitations: by the person who sends, by their customer, and by the mailbox, whoever sends to it.
BY_SENDER = Limit("invitations-of-sender", 20, seconds=3600)
BY_CUSTOMER = Limit("invitations-of-customer", 50, seconds=DAY)
TO_MAILBOX = (Limit("invitation-again", 1, seconds=60), Limit("invitations-to-mailbox", 5, seconds=DAY))
# Of notes that an unknown person can have sent by typing an address, to all addresses of a mailbox together.
UNASKED = (Limit("unasked-mail-hour", 10, seconds=3600), Limit("unasked-mail-day", 30, seconds=DAY))
# Of resets and codes, to one address: a flood to other addresses of its mailbox must not stop its owner's.
NEEDED = (Limit("needed-mail-hour", 10, seconds=3600), Limit("needed-mail-day", 50, seconds=DAY))


class TooManyMails(DomainError):
    code, status = "TOO_MANY_MAILS", 429

    def __init__(self, template: str, error: RateLimited) -> None:
        super().__init__(template, params={"time": describe_wait(error.rate_limit_status.seconds_left)})


def count_invitation(*, sender: int, customer: UUID, email: str) -> None:
    """Count one invitation mail. Raises TooManyMails past a limit."""
    for limits, caller, words in (
        ((BY_SENDER,), str(sender), gettext_noop("You have sent many invitations. Try again in %(time)s.")),
        (
            (BY_CUSTOMER,),
            str(customer),
            gettext_noop(
                "Your account has sent as many invitations as it may in a day. Try again in %(time)s."
            ),
        ),
        (
            TO_MAILBOX,
            find_mailbox(email),
            gettext_noop(
                "This address has just been mailed an invitation, or often today. Try again in %(time)s."
            ),
        ),
    ):
        try:
            hit(*limits, caller=caller)
        except RateLimited as error:
            raise TooManyMails(words, error) from error


def is_mailbox_full(email: str, *, is_needed: bool) -> bool:
    """Count one mail that the owner of the address may not have asked for; whether it is one too many.

    `is_needed`: the owner gets in by nothing else, so it is counted for the address alone.
    """
    try:
        hit(*(NEEDED if is_needed else UNASKED), caller=email.lower() if is_needed else find_mailbox(email))
    except RateLimited:
        return True
    return False


def describe_wait(seconds: int) -> str:
    """A time in words, rounded up."""
    if seconds < 120:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 7200:
        minutes = -(-seconds // 60)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = -(-seconds // 3600)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
