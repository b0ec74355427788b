"""The free fixes of a namespace are given once, whatever accounts come and go."""

from collections.abc import Sequence

from django.db.models import F
from django.db.models.functions import Greatest

from billing.models import BillingAccount
from billing.selectors import count_trial_fixes_in
from customers.models import Customer, ForgeAccount


def carry_trial_over(*, customer: Customer, earlier: Sequence[ForgeAccount]) -> None:
    """Take off the customer's trial what was used of one in the namespace before. Not safe to repeat."""
    if used := count_trial_fixes_in(earlier):
        BillingAccount.objects.filter(customer=customer).update(
            trial_fixes_limit=Greatest(F("trial_fixes_limit") - used, 0)
        )
