"""Reads across signups: whether each has become what it should."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from djstripe.models import Customer as StripeCustomer

from customers.models import ApiKey, Customer, Membership

from .models import OutgoingMail, ProvisioningEvent

Step = ProvisioningEvent.Step
State = ProvisioningEvent.State

# How long Stripe and the mail server may take before a signup counts as broken.
PATIENCE = timedelta(minutes=10)


def list_due_steps(*, at: datetime) -> dict[str, QuerySet[Any]]:
    """The rows that a worker should take up now, by the task that does them."""
    steps = ProvisioningEvent.objects.filter(state=State.PENDING, next_attempt_at__lte=at)
    mails = OutgoingMail.objects.filter(next_attempt_at__lte=at)
    return {
        "provisioning.tasks.send_mail": mails.order_by("next_attempt_at"),
        "provisioning.tasks.run_step": steps.order_by("next_attempt_at"),
    }


@dataclass(frozen=True)
class BrokenSignup:
    """A customer that is not one customer with one first key, one Stripe customer and one welcome mail."""

    customer_id: UUID
    name: str
    reasons: tuple[str, ...]


def list_broken_signups(*, at: datetime) -> list[BrokenSignup]:
    """Every customer older than ten minutes that breaks the invariant, in one query."""
    rows = (
        Customer.objects.filter(created_at__lte=at - PATIENCE, closed_at=None)
        .annotate(
            keys=_count(ApiKey.objects.all()),
            owners=_count(Membership.objects.filter(role=Membership.Role.OWNER)),
            steps=_count(ProvisioningEvent.objects.all()),
            welcomes=_count(ProvisioningEvent.objects.filter(step=Step.WELCOME_MAIL, state=State.DONE)),
            stripe_customers=_count(StripeCustomer.objects.all(), "subscriber"),
        )
        .filter(
            Q(keys=0) | Q(owners=0) | ~Q(steps=len(Step.choices)) | ~Q(welcomes=1) | ~Q(stripe_customers=1)
        )
        .values_list("pk", "name", "keys", "owners", "steps", "welcomes", "stripe_customers")
    )
    return [_explain(*row) for row in rows]


def _count(rows: QuerySet[Any], name: str = "customer") -> Coalesce:
    """A subquery of how many of these rows are the customer's."""
    own = rows.filter(**{name: OuterRef("pk")}).order_by().values(name)
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)


def _explain(
    customer_id: UUID, name: str, keys: int, owners: int, steps: int, welcomes: int, stripe_customers: int
) -> BrokenSignup:
    reasons = {
        "no key": keys == 0,
        "no owner": owners == 0,
        f"{steps} of {len(Step.choices)} steps": steps != len(Step.choices),
        "no welcome mail": welcomes != 1,
        f"{stripe_customers} Stripe customers": stripe_customers != 1,
    }
    return BrokenSignup(customer_id, name, tuple(reason for reason, holds in reasons.items() if holds))
