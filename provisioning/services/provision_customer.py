"""A signup becomes an account, whoever asks for it: the form, the API, GitHub, staff or the command."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from billing.models import BillingAccount
from customers.models import Customer, Membership, User
from customers.services import (
    EmailTaken,
    NewApiKey,
    add_member,
    claim_namespace,
    create_api_key,
    create_customer,
)
from provisioning.addresses import is_disposable, normalise_email
from provisioning.metrics import SIGNUPS
from provisioning.models import ProvisioningEvent
from rsolv.errors import DomainError
from rsolv.queue import enqueue_on_commit

LONGEST_ADDRESS = 254
Step = ProvisioningEvent.Step

# When each step is due after the signup.
SCHEDULE = {
    Step.STRIPE_CUSTOMER: timedelta(0),
    Step.WELCOME_MAIL: timedelta(0),
    Step.MAIL_DAY_1: timedelta(days=1),
    Step.MAIL_DAY_3: timedelta(days=3),
    Step.MAIL_DAY_7: timedelta(days=7),
}


class SignupRefused(DomainError):
    """One sentence for every address that is no good, so that none can be asked whether it has an account."""

    code, status = "VALIDATION_FAILED", 422
    message = (
        "This address cannot be used to sign up. If you signed up with it before, log in or reset your "
        "password; otherwise use the address of your company."
    )

    def __init__(self) -> None:
        super().__init__(fields={"email": self.message})


@dataclass(frozen=True)
class Provisioned:
    """A customer ready to work. `key` holds the raw key, which cannot be had again."""

    customer: Customer
    user: User
    key: NewApiKey


@transaction.atomic
def provision_customer(
    *,
    name: str,
    email: str,
    user: User | None = None,
    namespace: str | None = None,
    source: Customer.SignupSource = Customer.SignupSource.FORM,
    at: datetime | None = None,
) -> Provisioned:
    """Make customer, owner, trial and key, all or nothing, and the steps that follow on commit.

    Without a user one is made who sets a password through its reset. No call goes out.
    Raises SignupRefused and customers.services.NamespaceHeld.
    """
    at = at or timezone.now()
    email = check_address(email)
    try:
        customer = create_customer(name=name, email=email, source=source)
    except EmailTaken as error:
        raise SignupRefused from error
    if user is None:
        user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email=email)
    add_member(customer=customer, user=user, role=Membership.Role.OWNER)
    BillingAccount.objects.create(customer=customer)
    if namespace:
        claim_namespace(customer=customer, namespace=namespace)
    key = create_api_key(customer=customer, name="First key", created_by=user)
    _plan_steps(customer, at)
    transaction.on_commit(lambda: SIGNUPS.labels(source=str(source)).inc())
    return Provisioned(customer=customer, user=user, key=key)


def check_address(email: str) -> str:
    """The address as it is kept. Raises SignupRefused for one that is none, or is thrown away after use."""
    email = normalise_email(email)
    try:
        validate_email(email)
    except ValidationError as error:
        raise SignupRefused from error
    if len(email) > LONGEST_ADDRESS or is_disposable(email):
        raise SignupRefused
    return email


def _plan_steps(customer: Customer, at: datetime) -> None:
    done = ProvisioningEvent(
        customer=customer,
        step=Step.ACCOUNT,
        state=ProvisioningEvent.State.DONE,
        due_at=at,
        next_attempt_at=None,
        done_at=at,
    )
    ahead = [
        ProvisioningEvent(customer=customer, step=step, due_at=at + delay, next_attempt_at=at + delay)
        for step, delay in SCHEDULE.items()
    ]
    ProvisioningEvent.objects.bulk_create([done, *ahead])
    for event in ahead:
        if event.due_at <= at:
            enqueue_on_commit("provisioning.tasks.run_step", str(event.pk))
