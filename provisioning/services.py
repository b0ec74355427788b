"""From signup to an account that works."""

from dataclasses import dataclass

from django.db import transaction

from billing.models import BillingAccount
from customers.models import Customer, Membership, User
from customers.services import NewApiKey, add_member, claim_namespace, create_api_key, create_customer


@dataclass(frozen=True)
class Provisioned:
    """A customer ready to work. `key` holds the raw key, which cannot be had again."""

    customer: Customer
    user: User
    key: NewApiKey


@transaction.atomic
def provision_customer(
    *, name: str, email: str, user: User | None = None, namespace: str | None = None
) -> Provisioned:
    """Make customer, owner, trial and key, all or nothing.

    Without a user one is made who sets a password through its reset. Raises customers.services.EmailTaken
    and NamespaceHeld.
    """
    customer = create_customer(name=name, email=email)
    if user is None:
        user = User.objects.filter(email__iexact=email.strip()).first() or User.objects.create_user(
            email=email
        )
    add_member(customer=customer, user=user, role=Membership.Role.OWNER)
    BillingAccount.objects.create(customer=customer)
    if namespace:
        claim_namespace(customer=customer, namespace=namespace)
    return Provisioned(
        customer=customer, user=user, key=create_api_key(customer=customer, name="First key", created_by=user)
    )
