"""People's places in a customer."""

from customers.models import Customer, Membership, User


def add_member(*, customer: Customer, user: User, role: str) -> Membership:
    """Give a person a place in a customer. Repeating it sets the role."""
    membership, _ = Membership.objects.update_or_create(customer=customer, user=user, defaults={"role": role})
    return membership
