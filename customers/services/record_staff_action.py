"""Record what staff do: in the staff audit log with address and device, for the customer as "staff"."""

from datetime import datetime

from customers.acting_staff import get_acting_staff
from customers.models import AuditLogEntry, Customer, StaffAction, User

from .record_audit_log_entry import record_audit_log_entry

COMMAND = "command on the server"


def record_staff_action(
    *,
    action: StaffAction.Action,
    at: datetime,
    staff: User | None = None,
    subject: str = "",
    detail: str = "",
    customer: Customer | None = None,
    address: str | None = None,
    device: str = "",
) -> StaffAction:
    """Add an entry to the staff audit log. Call it inside the transaction that makes the change.

    In a request of the staff admin, person, address and device come from the request. Outside of one, with
    `staff` None, the action is a command on the server. Does not write the customer's audit log.
    """
    acting = get_acting_staff()
    if acting is not None:
        staff, address, device = acting.user, acting.address, acting.device
        acting.recorded += 1
    return StaffAction.objects.create(
        staff=staff,
        staff_name=staff.email if staff else COMMAND,
        action=action,
        subject=subject[:254],
        detail=detail[:500],
        customer=customer,
        address=address,
        device=device[:60],
        at=at,
    )


def record_for_customer(*, customer: Customer | None, subject: str, detail: str, at: datetime) -> None:
    """Record a change made in the staff admin in the customer's audit log, as made by staff.

    Does nothing if this request has already written to that log: the service's entry is more precise.
    """
    acting = get_acting_staff()
    if customer is None or acting is None or customer.pk in acting.customers_recorded:
        return
    words = f"{subject}: {detail}" if detail else subject
    record_audit_log_entry(
        customer=customer, action=AuditLogEntry.Action.STAFF_ACTED, actor=acting.user, subject=words, at=at
    )
