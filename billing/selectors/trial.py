"""Free fixes: a customer's own, and those that a namespace gives. See docs/decisions/024.

A namespace gives ten in all to the customers who have not proven that it is theirs: they share a pool. Who
has proven it draws on another pool, in which only fixes of those count who had proven it too.
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
    """Free fixes that a customer has used, and that its claim on one namespace still has in the pool."""

    used: int
    left_in_pool: int


def list_trial_fixes() -> QuerySet[UsageRecord]:
    """Fixes that took a slot of a trial. One that staff voided gives its slot back."""
    taken = UsageRecord.objects.filter(coverage=UsageRecord.Coverage.TRIAL)
    return taken.exclude(correction__kind=UsageCorrection.Kind.VOID).order_by()


def count_trial_fixes(*, customer_id: UUID) -> int:
    return list_trial_fixes().filter(customer=customer_id).count()


def get_trial_use(account: BillingAccount, namespace: ForgeAccount) -> TrialUse:
    """One query. Exact while the account and the pool are locked (billing.services.metering.record_usage)."""
    rows = _annotate_pool(ForgeAccount.objects.filter(pk=namespace.pk))
    used = list_trial_fixes().filter(customer=account.customer_id)
    row = rows.annotate(used=_count(used)).values("used", "in_pool").get()
    return TrialUse(used=row["used"], left_in_pool=_find_pool_size(account) - row["in_pool"])


def count_all_trial_use(account: BillingAccount) -> tuple[int, int | None]:
    """Free fixes that were used, and what the pools of all the customer's namespaces have left, added up.

    None: it has no namespace, and no pool bounds it yet. One query.
    """
    own = list_trial_fixes().filter(**{"customer": OuterRef("customer"), NAMESPACE: OuterRef("pk")})
    rows = _annotate_pool(ForgeAccount.objects.filter(customer=account.customer_id).order_by())
    found = list(rows.annotate(used=_count(own)).values_list("released_at", "used", "in_pool"))
    size = _find_pool_size(account)
    left = [max(0, size - in_pool) for released_at, _, in_pool in found if released_at is None]
    return sum(used for _, used, _ in found), sum(left) if left else None


def count_pool_claims(namespace: ForgeAccount, *, but: UsageClaim, at: datetime) -> int:
    """Fixes of the namespace's pool that are held for issues now by customers on a trial, one claim aside."""
    on_trial = BillingAccount.objects.filter(
        customer=OuterRef("customer"), status=BillingAccount.Status.TRIALING
    )
    alike = ForgeAccount.objects.alias(key=Lower("namespace")).order_by()
    alike = alike.filter(forge=namespace.forge, key=namespace.namespace.lower())
    if namespace.is_proven:
        alike = alike.filter(proven_at__isnull=False)
    held = UsageClaim.objects.filter(**{f"{NAMESPACE}__in": alike.values("pk")}, used_at=None)
    return held.filter(Exists(on_trial), expires_at__gt=at).exclude(pk=but.pk).count()


def _find_pool_size(account: BillingAccount) -> int:
    """What staff gave a customer beyond the usual, no pool takes back."""
    return max(TRIAL.included, account.trial_fixes_limit)


def _annotate_pool(accounts: QuerySet[ForgeAccount]) -> QuerySet[ForgeAccount]:
    """Add `in_pool`: the fixes that count in the pool which each claim draws on."""
    fixes = list_trial_fixes().alias(key=Lower(f"{NAMESPACE}__namespace"))
    fixes = fixes.filter(**{"key": OuterRef("key"), f"{NAMESPACE}__forge": OuterRef("forge")})
    # Always so; with it the few free fixes of a customer are found by their index, whatever else it has.
    fixes = fixes.filter(customer=F(f"{NAMESPACE}__customer"))
    of_owner = fixes.filter(**{f"{NAMESPACE}__proven_at__isnull": False})
    is_proven = When(released_at=None, proven_at__isnull=False, then=_count(of_owner))
    return accounts.alias(key=Lower("namespace")).annotate(in_pool=Case(is_proven, default=_count(fixes)))


def _count(rows: QuerySet[Any]) -> Subquery:
    counted = rows.annotate(count=Func(F("pk"), function="COUNT", output_field=IntegerField()))
    return Subquery(counted.values("count"), output_field=IntegerField())
