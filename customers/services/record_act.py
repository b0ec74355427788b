"""Acts that matter to a customer's security are written down."""

from datetime import datetime

from customers.acting_staff import get_acting_staff
from customers.models import AuditEntry, Customer, User

PRODUCT = "RSOLV"
STAFF = f"{PRODUCT} staff"


def record_act(
    *,
    customer: Customer,
    act: AuditEntry.Act,
    actor: User | None,
    at: datetime,
    subject: str = "",
    address: str | None = None,
) -> AuditEntry:
    """Write an act into the audit log. Belongs into the transaction of the act itself.

    `actor` None is the product itself. A member of staff who is no member of the customer is named as staff;
    so is everything done in the staff admin, whoever the service names as its actor, without an address.
    """
    if (staff := get_acting_staff()) is not None:
        staff.customers_recorded.add(customer.pk)
        actor, address = staff.user, None
    return AuditEntry.objects.create(
        customer=customer,
        act=act,
        actor=actor,
        actor_name=_name(customer, actor),
        subject=subject[:254],
        address=address,
        at=at,
    )


def _name(customer: Customer, actor: User | None) -> str:
    if actor is None:
        return PRODUCT
    if get_acting_staff() is not None:
        return STAFF
    if actor.is_staff and not customer.memberships.filter(user=actor).exists():
        return STAFF
    return actor.email
