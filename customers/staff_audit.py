"""Implementation of the audit logs behind the staff pages: the staff audit log and the customer's own."""

from django.utils import timezone

from core.admin.audit import Change
from customers.services.record_staff_action import record_for_customer, record_staff_action

from .models import Customer, StaffAction, User
from .selectors import get_customer_of


class CustomersStaffAudit:
    """Implements core.admin.audit.StaffAudit."""

    def find_customer(self, row: object) -> Customer | None:
        return find_customer(row)

    def record(self, change: Change, *, customer: Customer | None, subject: str, detail: str) -> None:
        action = StaffAction.Action(change)
        record_staff_action(
            action=action, subject=subject, detail=detail, customer=customer, at=timezone.now()
        )

    def record_for_customer(self, *, customer: Customer | None, subject: str, detail: str) -> None:
        record_for_customer(customer=customer, subject=subject, detail=detail, at=timezone.now())


def find_customer(row: object) -> Customer | None:
    """Return the customer that a row belongs to, or None."""
    if isinstance(row, Customer):
        return row
    if isinstance(row, User):
        return get_customer_of(row)
    customer = getattr(row, "customer", None)
    if isinstance(customer, Customer):
        return customer
    user = getattr(row, "user", None)
    return get_customer_of(user) if isinstance(user, User) else None
