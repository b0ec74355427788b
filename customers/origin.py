"""Type of the keyword arguments that say where an action came from. Pure."""

from typing import TypedDict


class Origin(TypedDict, total=False):
    """Address and browser of a request, which services pass on to `record_audit_log_entry`.

    `device` is the browser as named by `describe_browser`. Omit both if no request made the change.
    """

    address: str | None
    device: str
