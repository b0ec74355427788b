"""Reads that cross relations or look across tenants on purpose."""

from django.db.models.functions import Lower

from .models import ApiKey, Customer, ForgeAccount, Membership, User


def find_api_key(*, key_hash: str) -> ApiKey | None:
    return ApiKey.objects.select_related("customer").filter(key_hash=key_hash).first()


def find_forge_account(*, forge: str, namespace: str) -> ForgeAccount | None:
    """Whoever holds the namespace, of any customer: the caller compares."""
    return (
        ForgeAccount.objects.alias(key=Lower("namespace")).filter(forge=forge, key=namespace.lower()).first()
    )


def get_membership(user: User) -> Membership | None:
    """A person's place in the customer they work in, which is the first they joined; its customer loaded."""
    return (
        Membership.objects.select_related("customer")
        .filter(user=user, customer__closed_at=None)
        .order_by("created_at", "pk")
        .first()
    )


def get_customer_of(user: User) -> Customer | None:
    membership = get_membership(user)
    return membership.customer if membership else None
