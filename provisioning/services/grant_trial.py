"""A trial is given once to a mailbox, and to a few of one organization a year."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from billing.models import BillingAccount
from billing.plans import TRIAL
from billing.selectors.trial import count_trial_fixes
from customers.addresses import find_mailbox, find_organization
from customers.locks import lock_name
from customers.models import Customer
from provisioning.models import TrialGrant

A_YEAR = timedelta(days=365)
# Staff vouch for whom they sign up.
BY_STAFF = (Customer.SignupSource.STAFF, Customer.SignupSource.COMMAND)


@transaction.atomic
def grant_trial(*, customer: Customer, email: str, at: datetime) -> int:
    """How many free fixes a new account starts with; what it was given is written down. Not safe to repeat.

    A mailbox that has had a trial gets what its closed account left of it, and nothing while that is open. An
    organization gets TRIALS_PER_DOMAIN in a year.
    """
    mailbox, organization = find_mailbox(email), find_organization(email)
    if customer.signup_source in BY_STAFF:
        organization = ""
    for name in sorted({mailbox, organization} - {""}):  # in one order, so that no two wait for each other
        lock_name("trial", name)
    held = TrialGrant.objects.select_related("customer").filter(mailbox=mailbox).first()
    if held is not None:
        return _take_over(held, customer)
    given = TrialGrant.objects.filter(organization=organization, granted_at__gt=at - A_YEAR)
    if organization and given.count() >= settings.TRIALS_PER_DOMAIN:
        return 0
    TrialGrant.objects.create(mailbox=mailbox, organization=organization, customer=customer, granted_at=at)
    return TRIAL.included


def _take_over(held: TrialGrant, customer: Customer) -> int:
    if held.customer.closed_at is None:
        return 0
    earlier = held.customer
    limit = (
        BillingAccount.objects.filter(customer=earlier).values_list("trial_fixes_limit", flat=True).first()
    )
    held.customer = customer
    held.save(update_fields=["customer"])
    return max(0, (TRIAL.included if limit is None else limit) - count_trial_fixes(customer_id=earlier.pk))
