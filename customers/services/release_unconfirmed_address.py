"""What others did with an address that they never confirmed ends when its owner comes."""

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
    """End every unconfirmed claim to an address: logins with their password and accounts, added addresses.

    Call it in the transaction that gives the address to who has proved that it is theirs. A confirmed login
    keeps all but the claim. Repeating it changes nothing.
    """
    for user in _lock_unconfirmed(email):
        remove_unconfirmed_person(user=user, at=at)
    EmailAddress.objects.filter(email=email.lower(), verified=False).delete()


@transaction.atomic
def remove_unconfirmed_person(*, user: User, at: datetime) -> None:
    """Delete a login that nobody has confirmed, and close the accounts that only it was in."""
    _close_own_accounts(user, at)
    user.delete()


@transaction.atomic
def take_login_over(*, user: User, at: datetime) -> bool:
    """Give a login that nobody had confirmed to who has just proved its address, with a new password.

    Its other ways in, its other addresses and the accounts that were made with it end. Whether there was
    anything to take over: a confirmed login stays as it is.
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
    """Locked first and asked again then: one may be confirmed meanwhile."""
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
