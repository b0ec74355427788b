"""Acts that matter to a customer's security are written down."""

from datetime import datetime

from customers.models import AuditEntry, Customer, User

PRODUCT = "RSOLV"


def record_act(
    *,
    customer: Customer,
    act: AuditEntry.Act,
    actor: User | None,
    at: datetime,
    subject: str = "",
    address: str | None = None,
    device: str = "",
) -> AuditEntry:
    """Write an act into the audit log. Belongs into the transaction of the act itself.

    `actor` None is the product itself. A member of staff who is no member of the customer is named as staff.
    """
    return AuditEntry.objects.create(
        customer=customer,
        act=act,
        actor=actor,
        actor_name=_name(customer, actor),
        subject=subject[:254],
        address=address,
        device=device[:60],
        at=at,
    )


def _name(customer: Customer, actor: User | None) -> str:
    if actor is None:
        return PRODUCT
    if actor.is_staff and not customer.memberships.filter(user=actor).exists():
        return f"{PRODUCT} staff"
    return actor.email
