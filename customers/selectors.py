"""Queries that cross relations or, on purpose, tenants."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower

from customers.models import RateLimit

from . import roles
from .models import ApiKey, AuditLogEntry, Customer, ForgeAccount, Invitation, Membership, User
from .principals import ApiPrincipal


def get_principal_by_key_hash(*, key_hash: str) -> tuple[ApiPrincipal, datetime | None] | None:
    """Return the principal of a key and when it was last used according to its row. One query.

    None: the key does not exist, was revoked or has expired, or its customer is closed or blocked.
    """
    row = (
        ApiKey.objects.active()
        .filter(key_hash=key_hash, customer__closed_at=None, customer__blocked_at=None)
        .values_list("last_used_at", "pk", "customer_id", "expires_at", *map(_find_limit, LIMITS))
        .first()
    )
    if row is None:
        return None
    last_used_at, key_id, customer_id, expires_at, *limits = row
    return ApiPrincipal(
        key_id, customer_id, expires_at.timestamp() if expires_at else None, *limits
    ), last_used_at


LIMITS = ("requests_per_minute", "test_integration_per_minute")


def _find_limit(name: str) -> Coalesce:
    """Select the customer's own limit, or else its plan's."""
    own = RateLimit.objects.filter(customer=OuterRef("customer"))
    of_plan = RateLimit.objects.filter(
        plan=Coalesce(OuterRef("customer__billing_account__plan"), Value("trial"))
    )
    return Coalesce(Subquery(own.values(name)[:1]), Subquery(of_plan.values(name)[:1]))


# Statuses of billing accounts that do not have a subscriber's limits.
NOT_SUBSCRIBED = ("trialing", "canceled")


def is_subscribed(*, customer: Customer) -> bool:
    """Return whether the customer has a plan that is paid or about to be. One query."""
    accounts = Customer.objects.filter(pk=customer.pk, billing_account__isnull=False)
    return accounts.exclude(billing_account__status__in=NOT_SUBSCRIBED).exists()


def find_forge_account(*, customer: Customer, forge: str, namespace: str) -> ForgeAccount | None:
    """Return the customer's own claim on a namespace, released or not."""
    own = list_forge_accounts(forge=forge, namespace=namespace).filter(customer=customer)
    # The valid claim first, then the one that was released last.
    return own.order_by(F("released_at").desc(nulls_first=True)).first()


def find_proven_account(*, forge: str, namespace: str) -> ForgeAccount | None:
    """Return the claim that excludes others from the namespace. The caller must compare its customer."""
    claims = list_forge_accounts(forge=forge, namespace=namespace)
    return claims.filter(released_at=None, proven_at__isnull=False).first()


def list_forge_accounts(*, forge: str, namespace: str) -> QuerySet[ForgeAccount]:
    """Return all customers' claims on a namespace, released or not."""
    return ForgeAccount.objects.alias(key=Lower("namespace")).filter(forge=forge, key=namespace.lower())


def count_provisional_claims(*, customer: Customer) -> int:
    """Count the customer's claims that are neither released nor proven."""
    return customer.forge_accounts.filter(released_at=None, proven_at=None).count()


def list_held_namespaces(*, customer: Customer) -> QuerySet[ForgeAccount]:
    """Return the customer's claims that are not released, by name."""
    return customer.forge_accounts.filter(released_at=None).order_by(Lower("namespace"), "pk")


def get_membership(user: User) -> Membership | None:
    """Return a person's membership in the first open customer that they joined, with the customer loaded."""
    return (
        Membership.objects.select_related("customer")
        .filter(user=user, customer__closed_at=None)
        .order_by("created_at", "pk")
        .first()
    )


def get_customer_of(user: User) -> Customer | None:
    membership = get_membership(user)
    return membership.customer if membership else None


def is_last_owner(membership: Membership) -> bool:
    """Return whether no other owner of the customer can log in."""
    others = Membership.objects.filter(
        customer=membership.customer_id, role=roles.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    return membership.role == roles.OWNER and not others.exists()


@dataclass(frozen=True)
class MemberRow:
    """A member as shown to another member, with what that member may do to them."""

    pk: int
    email: str
    name: str
    role: str
    since: datetime
    last_seen_at: datetime | None
    is_self: bool
    has_second_step: bool
    choices: tuple[str, ...]
    keys: tuple[ApiKey, ...]
    may_remove: bool
    may_become_owner: bool


def list_members(*, customer: Customer, seen_by: Membership) -> list[MemberRow]:
    """Return all members, owners first, each with their active keys. Two queries."""
    second_factors = Authenticator.objects.filter(user=OuterRef("user")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    members = customer.memberships.select_related("user").annotate(has_second_step=Exists(second_factors))
    keys = defaultdict(list)
    for key in list_working_keys(customer=customer):
        keys[key.created_by_id].append(key)
    rows = [_to_row(member, seen_by, tuple(keys[member.user_id])) for member in members]
    return sorted(rows, key=lambda row: (roles.ROLES.index(row.role), row.email))


def _to_row(member: Membership, seen_by: Membership, keys: tuple[ApiKey, ...]) -> MemberRow:
    is_self = member.pk == seen_by.pk
    assignable = roles.list_assignable(seen_by.role)
    return MemberRow(
        pk=member.pk,
        email=member.user.email,
        name=member.user.name,
        role=member.role,
        since=member.created_at,
        last_seen_at=member.user.last_login,
        is_self=is_self,
        has_second_step=getattr(member, "has_second_step", False),
        choices=assignable if member.role in assignable else (),
        keys=keys,
        may_remove=not is_self and roles.may_remove(seen_by.role, member.role),
        may_become_owner=not is_self and roles.may_transfer(seen_by.role),
    )


def list_invitations(*, customer: Customer) -> list[Invitation]:
    """Return the open invitations, including expired ones."""
    unanswered = customer.invitations.filter(accepted_at=None, revoked_at=None)
    return list(unanswered.select_related("invited_by"))


def find_invitation(*, token_hash: str, at: datetime) -> Invitation | None:
    """Return the invitation, of any customer, that this token can accept at that time."""
    found = (
        Invitation.objects.select_related("customer", "invited_by")
        .filter(token_hash=token_hash, accepted_at=None, revoked_at=None, expires_at__gt=at)
        .filter(customer__closed_at=None)
        .first()
    )
    return found if found is not None and is_inviter_entitled(found) else None


def is_inviter_entitled(invitation: Invitation) -> bool:
    """Return whether the inviter is still a member, can log in, and may assign the offered role."""
    places = Membership.objects.filter(
        customer=invitation.customer_id, user=invitation.invited_by_id, user__is_active=True
    )
    role = places.values_list("role", flat=True).first()
    return role is not None and roles.may_invite(role, invitation.role)


def list_unconfirmed_people() -> QuerySet[User]:
    """Return people who never confirmed an address and never logged in.

    People created by staff, who have no address to confirm, are not included.
    """
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(addresses),
        ~Exists(addresses.filter(verified=True)),
        last_login=None,
        is_staff=False,
        is_superuser=False,
    )


def find_person(*, email: str) -> User | None:
    """Return the person who logs in with this address: who confirmed it, or else was given it by staff.

    A person who only typed it in, without confirming it, does not count.
    """
    confirmed = _list_confirmed(email).select_related("user").first()
    return confirmed.user if confirmed is not None else _list_given(email).first()


def is_address_taken(*, email: str) -> bool:
    """Return whether the address is a person's login or an open account's billing address.

    Accounts that only have unconfirmed members do not count. Always makes the same three queries, so that
    response times reveal nothing.
    """
    squatted = Membership.objects.filter(user__in=list_unconfirmed_people())
    accounts = (
        Customer.objects.alias(lowered=Lower("email"))
        .filter(lowered=email.lower(), closed_at=None)
        .filter(
            ~Exists(squatted.filter(customer=OuterRef("pk")))
            | Exists(Membership.objects.exclude(pk__in=squatted).filter(customer=OuterRef("pk")))
        )
    )
    # A list, not a generator: any() must not skip a query.
    return any([_list_confirmed(email).exists(), _list_given(email).exists(), accounts.exists()])


def _list_confirmed(email: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = EmailAddress.objects.filter(email=email.lower(), verified=True)
    return rows


def _list_given(email: str) -> QuerySet[User]:
    """Return people with this login address, except those who never confirmed it."""
    people = User.objects.alias(lowered=Lower("email")).filter(lowered=email.lower())
    return people.exclude(pk__in=list_unconfirmed_people())


def has_address(*, user: User, email: str) -> bool:
    """Return whether the person has confirmed this address."""
    addresses = EmailAddress.objects.filter(user=user, email__iexact=email, verified=True)
    return bool(addresses.exists())


def list_addresses(*, user: User) -> list[str]:
    """Return a person's addresses: their login and those they have confirmed. In lower case, sorted."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return sorted({user.email.lower(), *(email.lower() for email in confirmed)})


def list_working_keys(*, customer: Customer, made_by: User | None = None) -> QuerySet[ApiKey]:
    """Return the customer's active keys, oldest first; all of them, or those that one person created."""
    keys = ApiKey.objects.active().filter(customer=customer).order_by("created_at", "pk")
    return keys.filter(created_by=made_by) if made_by else keys


def list_keys(*, customer: Customer) -> QuerySet[ApiKey]:
    """Return all of the customer's keys with their creators: active ones first, then newest first."""
    working = ApiKey.objects.active().filter(customer=customer)
    is_over = Case(When(pk__in=working.order_by().values("pk"), then=Value(0)), default=Value(1))
    keys = ApiKey.objects.filter(customer=customer).select_related("created_by")
    return keys.order_by(is_over, "-created_at", "pk")


def list_expiring_keys(*, customer: Customer, until: datetime) -> QuerySet[ApiKey]:
    """Return the customer's active keys that expire before `until`, soonest first.

    Rotated keys are not included, since a new key has replaced them.
    """
    keys = ApiKey.objects.active().filter(customer=customer, expires_at__lt=until, replaced_by=None)
    return keys.order_by("expires_at", "pk")


def list_audit_log(*, customer: Customer, action: str = "") -> QuerySet[AuditLogEntry]:
    """Return the customer's audit log, newest first, optionally of one action only."""
    actions = customer.audit_log_entries.order_by("-at", "pk")
    return actions.filter(action=action) if action else actions
