"""How often mail goes to addresses that somebody else typed in."""

from uuid import UUID

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

    def __init__(self, whose: str, error: RateLimited) -> None:
        super().__init__(f"{whose} Try again in {_describe(error.standing.seconds_left)}.")


def count_invitation(*, sender: int, customer: UUID, email: str) -> None:
    """Count one invitation mail. Raises TooManyMails past a limit."""
    for limits, caller, words in (
        ((BY_SENDER,), str(sender), "You have sent many invitations."),
        ((BY_CUSTOMER,), str(customer), "Your account has sent as many invitations as it may in a day."),
        (TO_MAILBOX, find_mailbox(email), "This address has just been mailed an invitation, or often today."),
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


def _describe(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes" if seconds < 7200 else f"{-(-seconds // 3600)} hours"
