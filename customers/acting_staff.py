"""The member of staff who makes the current request in the staff admin."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from .models import User


@dataclass
class ActingStaff:
    """A member of staff with the request's address and device, and which logs the request has written."""

    user: User
    address: str | None
    device: str
    recorded: int = 0
    customers_recorded: set[UUID] = field(default_factory=set)


_acting: ContextVar[ActingStaff | None] = ContextVar("acting_staff", default=None)


def get_acting_staff() -> ActingStaff | None:
    """Return the member of staff who makes this request, or None outside of the staff admin."""
    return _acting.get()


@contextmanager
def act_as_staff(*, user: User, address: str | None, device: str) -> Iterator[ActingStaff]:
    """Attribute every change made inside the block to this member of staff.

    This takes precedence over the actor that a service names.
    """
    staff = ActingStaff(user=user, address=address, device=device)
    token = _acting.set(staff)
    try:
        yield staff
    finally:
        _acting.reset(token)
