"""Registry of the audit log that staff pages write to.

`core` may not import the app that owns the logs, so that app registers an implementation in its `ready()`.
"""

from enum import StrEnum
from typing import Any, Protocol


class Change(StrEnum):
    """What a staff page did to a row."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    RAN_ACTION = "ran_action"


class StaffAudit(Protocol):
    """What a staff page needs of the audit logs. Both methods write inside the caller's transaction."""

    def find_customer(self, row: Any) -> Any:
        """Return the customer that a row belongs to, or None if it belongs to none."""

    def record(self, change: Change, *, customer: Any, subject: str, detail: str) -> None:
        """Add an entry to the staff audit log."""

    def record_for_customer(self, *, customer: Any, subject: str, detail: str) -> None:
        """Add an entry to the customer's audit log, unless a service has added one during this request."""


_registered: list[StaffAudit] = []


def register_staff_audit(audit: StaffAudit) -> None:
    """Make `audit` the one that all staff pages write to. A later call replaces it."""
    _registered[:] = [audit]


def get_staff_audit() -> StaffAudit:
    """Return the registered audit log.

    Raises LookupError if no app has registered one, so that no page can change a row without an entry.
    """
    if not _registered:
        raise LookupError("No staff audit log is registered.")
    return _registered[0]
