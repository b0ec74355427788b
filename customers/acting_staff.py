"""Which member of staff the current request acts for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from .models import User


@dataclass
class ActingStaff:
    """A member of staff at work, and from where. The request's own record of what it has written so far."""

    user: User
    address: str | None
    device: str
    recorded: int = 0
    customers_recorded: set[UUID] = field(default_factory=set)


_acting: ContextVar[ActingStaff | None] = ContextVar("acting_staff", default=None)


def get_acting_staff() -> ActingStaff | None:
    """Who acts as staff, None outside of the staff admin."""
    return _acting.get()


@contextmanager
def act_as_staff(*, user: User, address: str | None, device: str) -> Iterator[ActingStaff]:
    """Attribute every change within to this member of staff, whoever the service names as its actor."""
    staff = ActingStaff(user=user, address=address, device=device)
    token = _acting.set(staff)
    try:
        yield staff
    finally:
        _acting.reset(token)
