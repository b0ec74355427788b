"""Queries across signups: whether each is complete."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from djstripe.models import Customer as StripeCustomer

from customers.models import ApiKey, Customer, Membership

from .models import ProvisioningEvent, ProvisioningRun

Step = ProvisioningEvent.Step
Status = ProvisioningEvent.Status

# How long Stripe and the mail server may take before a signup counts as incomplete.
GRACE_PERIOD = timedelta(minutes=10)


@dataclass(frozen=True)
class BrokenSignup:
    """A customer that lacks its key, owner, Stripe customer, welcome mail or some steps."""

    customer_id: UUID
    name: str
    reasons: tuple[str, ...]


def list_overdue_runs(*, at: datetime) -> QuerySet[ProvisioningRun]:
    """Return runs older than ten minutes that were not found complete. Answered by a partial index."""
    return ProvisioningRun.objects.filter(completed_at=None, started_at__lte=at - GRACE_PERIOD)


def list_complete_runs(*, at: datetime) -> QuerySet[ProvisioningRun]:
    """Return the overdue runs whose customer turns out to be complete, or is closed."""
    is_closed = Q(customer__closed_at__isnull=False)
    return _count_parts(list_overdue_runs(at=at)).filter(is_closed | ~_is_broken(F("steps")))


def list_broken_signups(*, at: datetime) -> list[BrokenSignup]:
    """Return all incomplete customers older than ten minutes, in one query over all customers.

    A customer must have the number of steps that its provisioning started with.
    """
    expected = Coalesce(F("provisioning_run__steps"), Value(len(Step.choices)))
    customers = Customer.objects.filter(created_at__lte=at - GRACE_PERIOD, closed_at=None)
    rows = (
        _count_parts(customers)
        .annotate(expected=expected)
        .filter(_is_broken(F("expected")))
        .values_list("pk", "name", "keys", "owners", "events", "expected", "welcomes", "stripe_customers")
    )
    return [_explain(*row) for row in rows]


def _count_parts(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate customers, or rows whose primary key is a customer's, with the number of each part."""
    done = Q(step=Step.WELCOME_MAIL, status=Status.DONE)
    counted: QuerySet[Any] = rows.annotate(
        keys=_count(ApiKey.objects.all()),
        owners=_count(Membership.objects.filter(role=Membership.Role.OWNER)),
        events=_count(ProvisioningEvent.objects.all()),
        welcomes=_count(ProvisioningEvent.objects.filter(done)),
        stripe_customers=_count(StripeCustomer.objects.all(), "subscriber"),
    )
    return counted


def _is_broken(expected: F) -> Q:
    lacks_part = Q(keys=0) | Q(owners=0) | Q(events__lt=expected)
    return lacks_part | ~Q(welcomes=1) | ~Q(stripe_customers=1)


def _count(rows: QuerySet[Any], name: str = "customer") -> Coalesce:
    """Return a subquery that counts the customer's rows."""
    own = rows.filter(**{name: OuterRef("pk")}).order_by().values(name)
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)


def _explain(
    customer_id: UUID,
    name: str,
    keys: int,
    owners: int,
    events: int,
    expected: int,
    welcomes: int,
    stripe_customers: int,
) -> BrokenSignup:
    reasons = {
        "no key": keys == 0,
        "no owner": owners == 0,
        f"{events} of {expected} steps": events < expected,
        "no welcome mail": welcomes != 1,
        f"{stripe_customers} Stripe customers": stripe_customers != 1,
    }
    return BrokenSignup(customer_id, name, tuple(reason for reason, holds in reasons.items() if holds))
