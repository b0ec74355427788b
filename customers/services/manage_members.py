"""Add members."""

from customers.models import Customer, Membership, User


def add_member(*, customer: Customer, user: User, role: str) -> Membership:
    """Make a person a member of a customer. Repeating it sets the role."""
    membership, _ = Membership.objects.update_or_create(customer=customer, user=user, defaults={"role": role})
    return membership
