"""Count free fixes, per customer and per namespace pool.

The customers who have not proven ownership of a namespace share a pool of ten free fixes. A customer who has
proven it draws on a separate pool, which counts only the fixes of proven owners.
Source: docs/decisions/024-provisional-and-proven-namespaces.md
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, Func, IntegerField, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Lower

from billing.models import BillingAccount, UsageClaim, UsageCorrection, UsageRecord
from billing.plans import TRIAL
from customers.models import ForgeAccount

NAMESPACE = "repository__forge_account"


@dataclass(frozen=True)
class TrialUse:
    """The free fixes that a customer has used, and those left in the pool of one of its namespaces."""

    used: int
    left_in_pool: int


def list_trial_fixes() -> QuerySet[UsageRecord]:
    """Return the fixes that occupy a trial slot. Voiding a fix frees its slot."""
    taken = UsageRecord.objects.filter(coverage=UsageRecord.Coverage.TRIAL)
    return taken.exclude(correction__kind=UsageCorrection.Kind.VOID).order_by()


def count_trial_fixes(*, customer_id: UUID) -> int:
    return list_trial_fixes().filter(customer=customer_id).count()


def get_trial_use(account: BillingAccount, namespace: ForgeAccount) -> TrialUse:
    """Count trial use in one query.

    Exact only while the account and the pool are locked (`lock_account`, `lock_trial_pool`).
    """
    rows = _annotate_pool(ForgeAccount.objects.filter(pk=namespace.pk))
    used = list_trial_fixes().filter(customer=account.customer_id)
    row = rows.annotate(used=_count(used)).values("used", "in_pool").get()
    return TrialUse(used=row["used"], left_in_pool=_find_pool_size(account) - row["in_pool"])


def count_all_trial_use(account: BillingAccount) -> tuple[int, int | None]:
    """Return the free fixes used, and the sum of what the pools of the customer's namespaces have left.

    The sum is None for a customer without a namespace, whom no pool limits yet. One query.
    """
    own = list_trial_fixes().filter(**{"customer": OuterRef("customer"), NAMESPACE: OuterRef("pk")})
    rows = _annotate_pool(ForgeAccount.objects.filter(customer=account.customer_id).order_by())
    found = list(rows.annotate(used=_count(own)).values_list("released_at", "used", "in_pool"))
    size = _find_pool_size(account)
    # A released namespace's fixes count as used, but its pool no longer limits the customer.
    left = [max(0, size - in_pool) for released_at, _, in_pool in found if released_at is None]
    return sum(used for _, used, _ in found), sum(left) if left else None


def count_pool_claims(namespace: ForgeAccount, *, but: UsageClaim, at: datetime) -> int:
    """Count the live claims of trial customers on the namespace's pool, except the claim `but`."""
    on_trial = BillingAccount.objects.filter(
        customer=OuterRef("customer"), status=BillingAccount.Status.TRIALING
    )
    # Claims of all customers on the same name. GitHub's names ignore case.
    alike = ForgeAccount.objects.alias(key=Lower("namespace")).order_by()
    alike = alike.filter(forge=namespace.forge, key=namespace.namespace.lower())
    if namespace.is_proven:
        alike = alike.filter(proven_at__isnull=False)
    held = UsageClaim.objects.filter(**{f"{NAMESPACE}__in": alike.values("pk")}, used_at=None)
    return held.filter(Exists(on_trial), expires_at__gt=at).exclude(pk=but.pk).count()


def _find_pool_size(account: BillingAccount) -> int:
    """Return the pool's size for this customer: a limit that staff have raised raises the pool as well."""
    return max(TRIAL.included, account.trial_fixes_limit)


def _annotate_pool(accounts: QuerySet[ForgeAccount]) -> QuerySet[ForgeAccount]:
    """Annotate `in_pool`: the fixes that count in the pool of each namespace's claim."""
    fixes = list_trial_fixes().alias(key=Lower(f"{NAMESPACE}__namespace"))
    fixes = fixes.filter(**{"key": OuterRef("key"), f"{NAMESPACE}__forge": OuterRef("forge")})
    # Redundant, since both customers are always the same. It lets the query use the index of the customer's
    # free fixes instead of reading all of its ledger.
    fixes = fixes.filter(customer=F(f"{NAMESPACE}__customer"))
    of_owner = fixes.filter(**{f"{NAMESPACE}__proven_at__isnull": False})
    is_proven = When(released_at=None, proven_at__isnull=False, then=_count(of_owner))
    return accounts.alias(key=Lower("namespace")).annotate(in_pool=Case(is_proven, default=_count(fixes)))


def _count(rows: QuerySet[Any]) -> Subquery:
    # Not Count, which adds a GROUP BY: a subquery without rows would then be NULL instead of 0.
    counted = rows.annotate(count=Func(F("pk"), function="COUNT", output_field=IntegerField()))
    return Subquery(counted.values("count"), output_field=IntegerField())
