"""Reads that cross relations or look across tenants on purpose."""

from django.db.models.functions import Lower

from .models import ApiKey, Customer, ForgeAccount, User


def find_api_key(*, key_hash: str) -> ApiKey | None:
    return ApiKey.objects.select_related("customer").filter(key_hash=key_hash).first()


def find_forge_account(*, forge: str, namespace: str) -> ForgeAccount | None:
    """Whoever holds the namespace, of any customer: the caller compares."""
    return (
        ForgeAccount.objects.alias(key=Lower("namespace")).filter(forge=forge, key=namespace.lower()).first()
    )


def get_customer_of(user: User) -> Customer | None:
    """The customer a person works in: the first they joined."""
    return Customer.objects.filter(memberships__user=user).order_by("memberships__created_at").first()
