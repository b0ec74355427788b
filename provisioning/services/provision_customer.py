"""Create accounts, for every kind of signup: form, API, GitHub, staff and command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from billing.models import BillingAccount
from core.errors import DomainError
from core.outbox.sweep import enqueue
from customers.addresses import has_public_domain, is_disposable, normalize_email
from customers.models import Customer, Membership, User
from customers.selectors import find_person, get_membership
from customers.services.claim_namespace import claim_namespace
from customers.services.create_customer import EmailTaken, create_customer
from customers.services.manage_keys import NewApiKey, create_api_key
from customers.services.manage_members import add_member
from customers.services.release_unconfirmed_address import release_unconfirmed_address
from provisioning.mails import STEP_MAILS
from provisioning.metrics import SIGNUPS
from provisioning.models import ProvisioningEvent, ProvisioningRun

from .grant_trial import grant_trial

MAX_ADDRESS_LENGTH = 254
FIRST_KEY = "First key"
Step = ProvisioningEvent.Step

# When each step is due after the signup.
SCHEDULE = {Step.STRIPE_CUSTOMER: timedelta(0)} | {mail.step: mail.after for mail in STEP_MAILS}


class SignupRejected(DomainError):
    """The address cannot be used.

    The message is the same for every reason, so that it reveals no account.
    """

    code, status = "VALIDATION_FAILED", 422
    message = gettext_noop(
        "This address cannot be used to sign up. If you signed up with it before, log in or reset your "
        "password; otherwise use the address of your company."
    )

    def __init__(self) -> None:
        super().__init__(fields={"email": self.message})


@dataclass(frozen=True)
class Provisioned:
    """A new customer. `key` holds the raw key, which cannot be retrieved again."""

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
    """Create customer, owner, trial, key and later steps for a confirmed address, all or nothing.

    Without `user`, a person is created who sets a password by a reset; only staff may vouch for an address
    that way. Makes no outside calls. Raises SignupRejected, and NamespaceHeld of
    customers.services.claim_namespace.
    """
    at = at or timezone.now()
    email = check_address(email)
    person = user or make_person(email=email, at=at)
    customer = open_account(name=name, email=email, owner=person, namespace=namespace, source=source, at=at)
    key = create_api_key(customer=customer, name=FIRST_KEY, created_by=person)
    return Provisioned(customer=customer, user=person, key=key)


@transaction.atomic
def open_account(
    *,
    name: str,
    email: str,
    owner: User,
    source: Customer.SignupSource,
    at: datetime,
    namespace: str | None = None,
    id: UUID | None = None,
) -> Customer:
    """Create a customer with its owner, trial and later steps, but no key. The address must be confirmed.

    Raises SignupRejected if the address belongs to another account or the owner already has one, and
    NamespaceHeld of customers.services.claim_namespace.
    """
    # One person's concurrent signups run one after another: the second one finds the membership.
    User.objects.select_for_update().get(pk=owner.pk)
    if get_membership(owner) is not None:
        raise SignupRejected
    try:
        customer = create_customer(name=name, email=email, source=source, id=id)
    except EmailTaken as error:
        raise SignupRejected from error
    add_member(customer=customer, user=owner, role=Membership.Role.OWNER)
    limit = grant_trial(customer=customer, email=email, at=at)
    BillingAccount.objects.create(customer=customer, trial_fixes_limit=limit)
    if namespace:
        claim_namespace(customer=customer, namespace=namespace)
    _schedule_steps(customer, at)
    transaction.on_commit(lambda: SIGNUPS.labels(source=str(source)).inc())
    return customer


@transaction.atomic
def make_person(*, email: str, at: datetime, password: str = "", name: str = "") -> User:
    """Create the login of a confirmed address. `password` is hashed; if empty, it must be reset first.

    Ends other people's unconfirmed claims to the address. Raises SignupRejected if it is somebody's login.
    """
    if find_person(email=email) is not None:
        raise SignupRejected
    release_unconfirmed_address(email=email, at=at)
    user = User(email=email, name=name.strip(), password=password)
    if not password:
        user.set_unusable_password()
    try:
        with transaction.atomic():
            # A savepoint, so that the IntegrityError leaves the caller's transaction usable.
            user.save()
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    except IntegrityError as error:  # a concurrent signup was faster
        raise SignupRejected from error
    return user


def check_address(email: str) -> str:
    """Return the normalized address. Raises SignupRejected if it is invalid or disposable."""
    email = normalize_email(email)
    try:
        validate_email(email)
    except ValidationError as error:
        raise SignupRejected from error
    if len(email) > MAX_ADDRESS_LENGTH or not has_public_domain(email) or is_disposable(email):
        raise SignupRejected
    return email


def _schedule_steps(customer: Customer, at: datetime) -> None:
    done = ProvisioningEvent(
        customer=customer,
        step=Step.ACCOUNT,
        status=ProvisioningEvent.Status.DONE,
        due_at=at,
        next_attempt_at=None,
        done_at=at,
    )
    ahead = [
        ProvisioningEvent(customer=customer, step=step, due_at=at + delay, next_attempt_at=at + delay)
        for step, delay in SCHEDULE.items()
    ]
    ProvisioningEvent.objects.bulk_create([done, *ahead])
    ProvisioningRun.objects.create(customer=customer, steps=1 + len(ahead), started_at=at)
    for event in ahead:
        # The sweep enqueues later steps when they are due.
        if event.due_at <= at:
            enqueue(event)
