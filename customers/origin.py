"""Where an action came from, as the audit log keeps it. Pure."""

from typing import TypedDict


class Origin(TypedDict, total=False):
    """Services take it as keyword arguments and pass it on to `record_audit_log_entry`.

    `device` is the browser as `describe_browser` names it. Both are left out where no request
    made the change.
    """

    address: str | None
    device: str
