"""Grant trials: one per mailbox, and a limited number per organization and year."""

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
# The organization limit does not apply to customers that staff sign up.
BY_STAFF = (Customer.SignupSource.STAFF, Customer.SignupSource.COMMAND)


@transaction.atomic
def grant_trial(*, customer: Customer, email: str, at: datetime) -> int:
    """Return the number of free fixes of a new account, and record the grant. Not safe to repeat.

    A mailbox that has had a trial gets what its closed account left of it, or nothing while that account is
    open. An organization gets TRIALS_PER_DOMAIN trials per year.
    """
    mailbox, organization = find_mailbox(email), find_organization(email)
    if customer.signup_source in BY_STAFF:
        organization = ""
    for name in sorted({mailbox, organization} - {""}):  # sorted, to prevent deadlocks
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
    """Move the trial from the owner's closed account to the new one, and return what is left of it."""
    # The account is open, so its trial is its own.
    if held.customer.closed_at is None:
        return 0
    earlier = held.customer
    limit = (
        BillingAccount.objects.filter(customer=earlier).values_list("trial_fixes_limit", flat=True).first()
    )
    held.customer = customer
    held.save(update_fields=["customer"])
    return max(0, (TRIAL.included if limit is None else limit) - count_trial_fixes(customer_id=earlier.pk))
