"""Where staff pages record what staff changed: the app with the audit logs registers itself in `ready()`."""

from enum import StrEnum
from typing import Any, Protocol


class Change(StrEnum):
    """What a page did to a row."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    RAN_ACTION = "ran_action"


class StaffAudit(Protocol):
    """Both logs are written in the caller's transaction."""

    def find_customer(self, row: Any) -> Any:
        """The customer that a row is about, None where it names none."""

    def record(self, change: Change, *, customer: Any, subject: str, detail: str) -> None:
        """Write to the staff audit log."""

    def record_for_customer(self, *, customer: Any, subject: str, detail: str) -> None:
        """Write to the customer's own audit log, unless a service already has in this request."""


_registered: list[StaffAudit] = []


def register_staff_audit(audit: StaffAudit) -> None:
    _registered[:] = [audit]


def get_staff_audit() -> StaffAudit:
    """Raises LookupError where no app has registered one: no page then changes anything unrecorded."""
    if not _registered:
        raise LookupError("No staff audit log is registered.")
    return _registered[0]
