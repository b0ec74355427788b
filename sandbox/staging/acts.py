"""What customers do in the story, through our own services. Each act takes its customer and its instant."""

from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from billing import stripe_gateway
from billing.models import UsageReport
from billing.plans import PLANS
from billing.selectors import get_account
from billing.services import cancel_plan, choose_plan
from customers.models import Customer, User
from phases.models import PhaseExecution
from phases.services import store_phase
from provisioning.services import provision_customer

from .cast import PASSWORD, Actor
from .reports import REPOSITORIES, End, write_fix, write_proof, write_scan

Act = Callable[[Actor, datetime], None]


def join(actor: Actor, at: datetime) -> None:
    """Sign up: a person with a password, a verified address, a company on trial."""
    user = User.objects.create_user(actor.email, date_joined=at)
    User.objects.filter(pk=user.pk).update(password=_hash_password())
    EmailAddress.objects.create(user=user, email=actor.email, verified=True, primary=True)
    made = provision_customer(
        name=actor.company,
        email=actor.email,
        user=user,
        namespace=actor.namespace,
        source=Customer.SignupSource.COMMAND,  # the cast shares a domain, and each has a trial
    )
    Customer.objects.filter(pk=made.customer.pk).update(created_at=at)


def subscribe(plan: str, *, card: str = "pm_card_visa") -> Act:
    def act(actor: Actor, at: datetime) -> None:
        choose_plan(customer=find(actor), plan=PLANS[plan], payment_method=card, at=at)

    return act


def change_card(card: str) -> Act:
    def act(actor: Actor, at: datetime) -> None:
        stripe_customer_id = get_account(customer=find(actor)).stripe_customer_id
        assert stripe_customer_id is not None
        stripe_gateway.set_payment_method(stripe_customer_id=stripe_customer_id, payment_method=card)

    return act


def cancel(actor: Actor, at: datetime) -> None:
    customer = find(actor)
    # The story's days pass at Stripe only: for us, the fixes before were reported a moment ago.
    reports = UsageReport.objects.filter(customer=customer, status=UsageReport.Status.REPORTED)
    reports.update(reported_at=at - timedelta(hours=1))
    cancel_plan(customer=customer)


def fix(count: int, *, over_days: float, end: End = "fixed") -> Act:
    """So many proved issues and what became of them, evenly over the days before the instant.

    Whoever has no result yet scans each repository first.
    """

    def act(actor: Actor, at: datetime) -> None:
        customer = find(actor)
        so_far = PhaseExecution.objects.filter(customer=customer, phase="mitigation").count()
        for index in range(count):
            issue = so_far + index + 1
            instant = at - timedelta(days=over_days * (count - 1 - index) / count)
            reports = [write_proof(actor, issue), write_fix(actor, issue, end)]
            if issue <= len(REPOSITORIES):
                reports.insert(0, write_scan(actor, issue))
            for hours, report in zip((3, 2, 0)[-len(reports) :], reports, strict=True):
                store_phase(customer=customer, report=report, at=instant - timedelta(hours=hours))

    return act


def find(actor: Actor) -> Customer:
    return Customer.objects.get(email=actor.email)


_hashed: list[str] = []


def _hash_password() -> str:
    """Hashed once: it is slow on purpose, and the same for all."""
    if not _hashed:
        _hashed.append(make_password(PASSWORD))
    return _hashed[0]
