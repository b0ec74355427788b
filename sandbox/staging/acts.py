"""What customers do in the story, through our own services. Each act takes its customer and its instant."""

import hashlib
import json
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
from phases.services import PhaseReport, store_phase
from provisioning.services import provision_customer

from .cast import PASSWORD, Actor

Act = Callable[[Actor, datetime], None]
REPOSITORIES = ("web", "api", "worker")
FLAWS = ("sql_injection", "xss", "path_traversal", "ssrf", "weak_hash")


def join(actor: Actor, at: datetime) -> None:
    """Sign up: a person with a password, a verified address, a company on trial."""
    user = User.objects.create_user(actor.email, date_joined=at)
    User.objects.filter(pk=user.pk).update(password=_hash_password())
    EmailAddress.objects.create(user=user, email=actor.email, verified=True, primary=True)
    made = provision_customer(name=actor.company, email=actor.email, user=user, namespace=actor.namespace)
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


def fix(count: int, *, over_days: float, succeeded: bool = True) -> Act:
    """So many fixes of new issues, evenly over the days before the instant."""

    def act(actor: Actor, at: datetime) -> None:
        customer = find(actor)
        first = PhaseExecution.objects.filter(customer=customer).count() + 1
        for index in range(count):
            instant = at - timedelta(days=over_days * (count - 1 - index) / count)
            store_phase(customer=customer, report=write_report(actor, first + index, succeeded), at=instant)

    return act


def write_report(actor: Actor, issue: int, succeeded: bool) -> PhaseReport:
    """What the Action would send for an issue's mitigation."""
    repository = REPOSITORIES[issue % len(REPOSITORIES)]
    commit = hashlib.sha1(f"{actor.key}-{issue}".encode(), usedforsecurity=False).hexdigest()
    data: dict[str, object] = {"success": succeeded, "issueNumber": issue, "attempts": 1}
    if succeeded:
        pull_request = f"https://github.com/{actor.namespace}/{repository}/pull/{issue + 400}"
        data |= {"prUrl": pull_request, "fixCommit": commit, "prCreated": True, "testsPass": True}
        data |= {"prType": "fix", "refactored": False, "vulnerabilityType": FLAWS[issue % len(FLAWS)]}
    else:
        data |= {"error": "The fix left two tests red.", "attempts": 3}
    return PhaseReport(
        phase="mitigation",
        namespace=actor.namespace,
        repository_name=repository,
        commit_sha=commit,
        issue_number=issue,
        branch=f"rsolv/issue-{issue}",
        data=data,
        data_text=json.dumps(data),
    )


def find(actor: Actor) -> Customer:
    return Customer.objects.get(email=actor.email)


_hashed: list[str] = []


def _hash_password() -> str:
    """Hashed once: it is slow on purpose, and the same for all."""
    if not _hashed:
        _hashed.append(make_password(PASSWORD))
    return _hashed[0]
