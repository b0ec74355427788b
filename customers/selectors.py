"""Reads that cross relations or look across tenants on purpose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from rsolv.api.models import RateLimit

from . import roles
from .callers import Caller
from .models import ApiKey, AuditEntry, Customer, ForgeAccount, Invitation, Membership, User


def find_caller(*, key_hash: str) -> tuple[Caller, datetime | None] | None:
    """Who may call with this key, and when it was last used as far as is written down. One query.

    None: there is no such key, it is over, or its customer is closed or blocked.
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
    return Caller(key_id, customer_id, expires_at.timestamp() if expires_at else None, *limits), last_used_at


LIMITS = ("requests_per_minute", "test_integration_per_minute")


def _find_limit(name: str) -> Coalesce:
    """The customer's own limit, else its plan's."""
    own = RateLimit.objects.filter(customer=OuterRef("customer"))
    of_plan = RateLimit.objects.filter(
        plan=Coalesce(OuterRef("customer__billing_account__plan"), Value("trial"))
    )
    return Coalesce(Subquery(own.values(name)[:1]), Subquery(of_plan.values(name)[:1]))


def find_forge_account(*, forge: str, namespace: str) -> ForgeAccount | None:
    """Whoever holds the namespace, of any customer: the caller compares."""
    return _list_accounts(forge, namespace).filter(released_at=None).first()


def list_released_accounts(*, forge: str, namespace: str) -> list[ForgeAccount]:
    """Whoever held the namespace once, the latest first."""
    return list(_list_accounts(forge, namespace).exclude(released_at=None).order_by("-released_at"))


def _list_accounts(forge: str, namespace: str) -> QuerySet[ForgeAccount]:
    return ForgeAccount.objects.alias(key=Lower("namespace")).filter(forge=forge, key=namespace.lower())


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


def is_last_owner(membership: Membership) -> bool:
    """Whether nobody else who can log in owns the customer."""
    others = Membership.objects.filter(
        customer=membership.customer_id, role=roles.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    return membership.role == roles.OWNER and not others.exists()


@dataclass(frozen=True)
class MemberRow:
    """A member as another sees them, with what that other may do."""

    pk: int
    email: str
    name: str
    role: str
    since: datetime
    last_seen_at: datetime | None
    is_self: bool
    has_second_step: bool
    choices: tuple[str, ...]
    may_remove: bool
    may_become_owner: bool


def list_members(*, customer: Customer, seen_by: Membership) -> list[MemberRow]:
    """Everybody in the customer, owners first, in one query."""
    second_steps = Authenticator.objects.filter(user=OuterRef("user")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    members = customer.memberships.select_related("user").annotate(has_second_step=Exists(second_steps))
    rows = [_to_row(member, seen_by) for member in members]
    return sorted(rows, key=lambda row: (roles.ROLES.index(row.role), row.email))


def _to_row(member: Membership, seen_by: Membership) -> MemberRow:
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
        may_remove=not is_self and roles.may_remove(seen_by.role, member.role),
        may_become_owner=not is_self and roles.may_transfer(seen_by.role),
    )


def list_invitations(*, customer: Customer) -> list[Invitation]:
    """What nobody has answered yet, those that are too old with it."""
    unanswered = customer.invitations.filter(accepted_at=None, revoked_at=None)
    return list(unanswered.select_related("invited_by"))


def find_invitation(*, token_hash: str, at: datetime) -> Invitation | None:
    """The invitation of any customer that this token still opens."""
    return (
        Invitation.objects.select_related("customer", "invited_by")
        .filter(token_hash=token_hash, accepted_at=None, revoked_at=None, expires_at__gt=at)
        .filter(customer__closed_at=None)
        .first()
    )


def list_unconfirmed_people() -> QuerySet[User]:
    """Whoever typed in an address that they have never confirmed, and so has never been let in.

    A person whom staff made, without an address to confirm, is not among them.
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
    """Whose login an address is: who has confirmed it, else who was given it by staff.

    Whoever only typed it in has no part in it.
    """
    confirmed = _list_confirmed(email).select_related("user").first()
    return confirmed.user if confirmed is not None else _list_given(email).first()


def is_address_taken(*, email: str) -> bool:
    """Whether an address is a person's login, or where an open account's bills go.

    An account that only unconfirmed people are in does not count. Always the same three queries, so that the
    time of an answer depends on none of them.
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
    return any([_list_confirmed(email).exists(), _list_given(email).exists(), accounts.exists()])


def _list_confirmed(email: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = EmailAddress.objects.filter(email=email.lower(), verified=True)
    return rows


def _list_given(email: str) -> QuerySet[User]:
    """Logins with this address, but for those that nobody has confirmed."""
    people = User.objects.alias(lowered=Lower("email")).filter(lowered=email.lower())
    return people.exclude(pk__in=list_unconfirmed_people())


def has_address(*, user: User, email: str) -> bool:
    """Whether a person has confirmed that an address is theirs."""
    addresses = EmailAddress.objects.filter(user=user, email__iexact=email, verified=True)
    return bool(addresses.exists())


def list_acts(*, customer: Customer, act: str = "") -> QuerySet[AuditEntry]:
    """The customer's audit log, newest first; all of it, or one kind of act."""
    acts = customer.audit_entries.order_by("-at", "pk")
    return acts.filter(act=act) if act else acts
