"""Who may do what to whom in a customer. Pure: roles in, yes or no out."""

from django.utils.translation import gettext_lazy as _

OWNER, ADMIN, MEMBER, BILLING = "owner", "admin", "member", "billing"
ROLES = (OWNER, ADMIN, MEMBER, BILLING)

# The roles that each role may give, and take from those who have them.
_GIVES: dict[str, tuple[str, ...]] = {
    OWNER: ROLES,
    ADMIN: (ADMIN, MEMBER, BILLING),
    MEMBER: (),
    BILLING: (),
}

# What each role is called, and what it may do, in the words of the team's page.
NAMES = {OWNER: _("Owner"), ADMIN: _("Admin"), MEMBER: _("Member"), BILLING: _("Billing")}
MEANINGS = {
    OWNER: _("everything, with who owns the account and its closing"),
    ADMIN: _("everything but that: keys, members, settings and billing"),
    MEMBER: _("sees the work: fixes, repositories and usage"),
    BILLING: _("sees the work, and looks after plan, invoices and cap"),
}


def list_assignable(actor: str) -> tuple[str, ...]:
    """The roles that somebody with this one may give."""
    return _GIVES[actor]


def may_invite(actor: str, role: str) -> bool:
    return role in _GIVES[actor]


def may_change(actor: str, *, now: str, to: str) -> bool:
    """Whether somebody may change another's role. Nobody changes one that they could not give."""
    return now in _GIVES[actor] and to in _GIVES[actor]


def may_remove(actor: str, role: str) -> bool:
    """Whether somebody may remove another. Leaving is everybody's own to do."""
    return role in _GIVES[actor]


def may_transfer(actor: str) -> bool:
    return actor == OWNER
