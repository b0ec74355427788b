"""What staff do is written down, for us with address and device, for the customer as staff's."""

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
    """Write one action into the staff audit log. Call inside the transaction that makes the change.

    Within a request of the staff admin, who it was, address and device are the request's own. Without one,
    and with `staff` None, it was a command on the server. The customer's audit log is not written here.
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
    """Write what staff did in the staff admin into the customer's own audit log, as staff's.

    Nothing where this request has already recorded something there: the service knew it better.
    """
    acting = get_acting_staff()
    if customer is None or acting is None or customer.pk in acting.customers_recorded:
        return
    words = f"{subject}: {detail}" if detail else subject
    record_audit_log_entry(
        customer=customer, action=AuditLogEntry.Action.STAFF_ACTED, actor=acting.user, subject=words, at=at
    )
