"""The actions of the timeline, performed by our own services. Each takes a persona and a time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from billing.models import UsageReport
from billing.plans import PLANS
from billing.selectors.entitlements import get_account
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.choose_plan import choose_plan
from billing.stripe_gateway.customers import set_payment_method
from customers.models import Customer, User
from phases.models import PhaseExecution
from phases.services.store_phase import store_phase
from provisioning.services.provision_customer import provision_customer

from .personas import PASSWORD, Persona
from .phase_reports import REPOSITORIES, Ending, write_fix, write_proof, write_scan

Action = Callable[[Persona, datetime], None]


def join(persona: Persona, at: datetime) -> None:
    """Sign up: create a user with a password and a verified address, and a customer on a trial."""
    user = User.objects.create_user(persona.email, date_joined=at)
    User.objects.filter(pk=user.pk).update(password=_hash_password())
    EmailAddress.objects.create(user=user, email=persona.email, verified=True, primary=True)
    made = provision_customer(
        name=persona.company,
        email=persona.email,
        user=user,
        namespace=persona.namespace,
        source=Customer.SignupSource.COMMAND,  # personas share a domain, and each needs its own trial
    )
    Customer.objects.filter(pk=made.customer.pk).update(created_at=at)


def subscribe(plan: str, *, card: str = "pm_card_visa") -> Action:
    def action(persona: Persona, at: datetime) -> None:
        choose_plan(customer=find_customer(persona), plan=PLANS[plan], payment_method=card, at=at)

    return action


def change_card(card: str) -> Action:
    def action(persona: Persona, at: datetime) -> None:
        stripe_customer_id = get_account(customer=find_customer(persona)).stripe_customer_id
        assert stripe_customer_id is not None
        set_payment_method(stripe_customer_id=stripe_customer_id, payment_method=card)

    return action


def cancel(persona: Persona, at: datetime) -> None:
    customer = find_customer(persona)
    # The timeline moves Stripe's clock only: by ours, the fixes were reported seconds ago.
    reports = UsageReport.objects.filter(customer=customer, status=UsageReport.Status.REPORTED)
    reports.update(reported_at=at - timedelta(hours=1))
    cancel_plan(customer=customer)


def fix(count: int, *, over_days: float, end: Ending = "fixed") -> Action:
    """Return an action that stores proofs and fixes of `count` issues, evenly over the `over_days` before.

    The first issue in each repository also gets a scan.
    """

    def action(persona: Persona, at: datetime) -> None:
        customer = find_customer(persona)
        so_far = PhaseExecution.objects.filter(customer=customer, phase="mitigation").count()
        for index in range(count):
            issue = so_far + index + 1
            moment = at - timedelta(days=over_days * (count - 1 - index) / count)
            reports = [write_proof(persona, issue), write_fix(persona, issue, end)]
            if issue <= len(REPOSITORIES):
                reports.insert(0, write_scan(persona, issue))
            # The proof comes two hours before the fix, and the scan three.
            for hours, report in zip((3, 2, 0)[-len(reports) :], reports, strict=True):
                store_phase(customer=customer, report=report, at=moment - timedelta(hours=hours))

    return action


def find_customer(persona: Persona) -> Customer:
    return Customer.objects.get(email=persona.email)


_hashed: list[str] = []


def _hash_password() -> str:
    """Return the hash of the shared password, computed once because hashing is slow on purpose."""
    if not _hashed:
        _hashed.append(make_password(PASSWORD))
    return _hashed[0]
