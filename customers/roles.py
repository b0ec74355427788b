"""Permissions between roles in a customer. Pure."""

from django.utils.translation import gettext_lazy as _

OWNER, ADMIN, MEMBER, BILLING = "owner", "admin", "member", "billing"
ROLES = (OWNER, ADMIN, MEMBER, BILLING)

# The roles that each role may assign, and may change or remove.
_ASSIGNABLE: dict[str, tuple[str, ...]] = {
    OWNER: ROLES,
    ADMIN: (ADMIN, MEMBER, BILLING),
    MEMBER: (),
    BILLING: (),
}

# Names and descriptions of the roles for the team page.
NAMES = {OWNER: _("Owner"), ADMIN: _("Admin"), MEMBER: _("Member"), BILLING: _("Billing")}
MEANINGS = {
    OWNER: _("full access, including ownership and closing the account"),
    ADMIN: _("manages keys, members, settings and billing"),
    MEMBER: _("sees fixes, repositories and usage"),
    BILLING: _("sees the same, and manages plan, invoices and spend cap"),
}


def list_assignable(actor: str) -> tuple[str, ...]:
    """Return the roles that a person with this role may assign."""
    return _ASSIGNABLE[actor]


def may_invite(actor: str, role: str) -> bool:
    return role in _ASSIGNABLE[actor]


def may_change(actor: str, *, now: str, to: str) -> bool:
    """Return whether the actor may change another person's role.

    Both roles must be assignable by the actor.
    """
    return now in _ASSIGNABLE[actor] and to in _ASSIGNABLE[actor]


def may_remove(actor: str, role: str) -> bool:
    """Return whether the actor may remove another person. Everybody may leave, whatever their role."""
    return role in _ASSIGNABLE[actor]


def may_transfer(actor: str) -> bool:
    return actor == OWNER
