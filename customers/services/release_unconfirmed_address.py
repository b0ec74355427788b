"""Release addresses that others registered without confirming them, when the real owner proves ownership."""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models.functions import Lower

from customers import selectors
from customers.models import Customer, User

from .release_namespace import release_namespaces


@transaction.atomic
def release_unconfirmed_address(*, email: str, at: datetime) -> None:
    """End all unconfirmed claims to an address: logins and accounts created with it, added addresses.

    Call it in the transaction that gives the address to its proven owner. A confirmed login loses only an
    unconfirmed address. Safe to repeat.
    """
    for user in _lock_unconfirmed(email):
        remove_unconfirmed_person(user=user, at=at)
    EmailAddress.objects.filter(email=email.lower(), verified=False).delete()


@transaction.atomic
def remove_unconfirmed_person(*, user: User, at: datetime) -> None:
    """Delete a login that was never confirmed, and close accounts that have no other member."""
    _close_own_accounts(user, at)
    user.delete()


@transaction.atomic
def take_over_login(*, user: User, at: datetime) -> bool:
    """Give an unconfirmed login to the person who has just proved its address and sets a new password.

    Its other login methods, other addresses and the accounts created with it end. Returns False, and changes
    nothing, for a confirmed login.
    """
    if user.pk not in {each.pk for each in _lock_unconfirmed(user.email)}:
        return False
    _close_own_accounts(user, at)
    for model in (SocialAccount, Authenticator):
        model.objects.filter(user=user).delete()
    EmailAddress.objects.filter(email=user.email.lower(), verified=False).delete()
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
    return True


def _lock_unconfirmed(email: str) -> list[User]:
    """Lock people with this address, and check again afterwards: one may have confirmed it meanwhile."""
    people = User.objects.alias(lowered=Lower("email")).filter(lowered=email.lower())
    ids = list(people.order_by("pk").select_for_update().values_list("pk", flat=True))
    return list(selectors.list_unconfirmed_people().filter(pk__in=ids))


def _close_own_accounts(user: User, at: datetime) -> None:
    for customer in Customer.objects.filter(memberships__user=user, closed_at=None):
        if customer.memberships.exclude(user=user).exists():
            continue
        Customer.objects.filter(pk=customer.pk, closed_at=None).update(closed_at=at)
        customer.api_keys.filter(revoked_at=None).update(revoked_at=at)
        customer.invitations.filter(accepted_at=None, revoked_at=None).update(revoked_at=at)
        release_namespaces(customer=customer, at=at)
