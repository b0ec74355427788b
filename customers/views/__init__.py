"""The pages of people: their team, the invitations to it, and what was done."""

from .audit import export_audit_log, show_audit_log
from .invitation import answer_invitation
from .team import (
    change_role,
    invite,
    leave,
    remove,
    resend,
    revoke,
    show_team,
    transfer,
)

__all__ = [
    "answer_invitation",
    "change_role",
    "export_audit_log",
    "invite",
    "leave",
    "remove",
    "resend",
    "revoke",
    "show_audit_log",
    "show_team",
    "transfer",
]
