"""Reads of money, always of one customer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from djstripe.models import Invoice, Price

from customers.models import Customer

from .models import BillingAccount, UsageRecord, UsageReport
from .plans import PLANS, Plan
from .pricing import compute_period_cents, count_remaining


@dataclass(frozen=True)
class Entitlement:
    """What an account may still do. Amounts are in US cents; `remaining` None means without a bound."""

    plan: Plan
    status: str
    blocked_reason: str | None
    used: int
    included: int
    remaining: int | None
    unit_price_cents: int
    period_start: datetime | None
    period_end: datetime | None
    period_cents: int

    @property
    def upgrade_url(self) -> str:
        return f"{settings.BASE_URL}/dashboard/"

    @property
    def can_use_service(self) -> bool:
        return self.blocked_reason is None


@dataclass(frozen=True)
class InvoiceLine:
    """An invoice as the portal lists it. Amounts are in cents of `currency`."""

    number: str
    status: str
    total_cents: int
    currency: str
    created_at: datetime
    period_end: datetime | None
    fixes: int
    page_url: str
    pdf_url: str


def get_account(*, customer: Customer) -> BillingAccount:
    """Where the customer stands; a trial where nothing is known yet, not saved."""
    return BillingAccount.objects.filter(customer=customer).first() or BillingAccount(customer=customer)


def count_trial_fixes(*, customer_id: UUID) -> int:
    return UsageRecord.objects.filter(customer_id=customer_id, coverage=UsageRecord.Coverage.TRIAL).count()


def count_period_fixes(account: BillingAccount) -> int:
    """Fixes that Stripe bills in the current period: by the instant of their meter events.

    One that is not sent yet is going to be billed in the period, whenever it occurred.
    """
    reports = UsageReport.objects.filter(customer_id=account.customer_id)
    if account.current_period_start is None:
        return reports.filter(meter_at=None).count()
    in_period = Q(meter_at=None) | Q(meter_at__gte=account.current_period_start)
    return reports.filter(in_period).count()


def get_entitlement(*, customer: Customer) -> Entitlement:
    """What the customer may still do, in two queries."""
    account = get_account(customer=customer)
    plan = PLANS[account.plan]
    on_trial = plan.key == "trial"
    used = count_trial_fixes(customer_id=customer.pk) if on_trial else count_period_fixes(account)
    included = account.trial_fixes_limit if on_trial else plan.included
    remaining = max(0, included - used) if on_trial else count_remaining(plan, used)
    return Entitlement(
        plan=plan,
        status=account.status,
        blocked_reason=_find_blocked_reason(account, remaining),
        used=used,
        included=included,
        remaining=remaining,
        unit_price_cents=plan.unit_price_cents,
        period_start=account.current_period_start,
        period_end=account.current_period_end,
        period_cents=compute_period_cents(plan, used),
    )


def _find_blocked_reason(account: BillingAccount, remaining: int | None) -> str | None:
    if account.status == BillingAccount.Status.TRIALING:
        return "trial_exhausted" if remaining == 0 else None
    return None if account.can_meter else f"subscription_{account.status}"


def list_invoices(*, customer: Customer, limit: int) -> list[InvoiceLine]:
    """The customer's invoices, newest first, as dj-stripe mirrors them."""
    rows = Invoice.objects.filter(customer__subscriber=customer).order_by("-created")[:limit]
    metered = _list_metered_prices()
    return [_read_invoice(row.stripe_data, metered) for row in rows]


def _list_metered_prices() -> set[str]:
    """Ids of the prices whose quantity is fixes; ours and their predecessors, a handful."""
    prices = Price.objects.values_list("id", "stripe_data__recurring__usage_type")
    return {price_id for price_id, usage_type in prices if usage_type == "metered"}


def _read_invoice(data: dict[str, Any], metered: set[str]) -> InvoiceLine:
    lines = data.get("lines", {}).get("data", [])
    period_end = data.get("period_end")
    return InvoiceLine(
        number=data.get("number") or "draft",
        status=data.get("status") or "draft",
        total_cents=data.get("total") or 0,
        currency=data.get("currency") or "usd",
        created_at=datetime.fromtimestamp(data["created"], UTC),
        period_end=datetime.fromtimestamp(period_end, UTC) if period_end else None,
        fixes=sum(line.get("quantity") or 0 for line in lines if _read_price(line) in metered),
        page_url=data.get("hosted_invoice_url") or "",
        pdf_url=data.get("invoice_pdf") or "",
    )


def _read_price(line: dict[str, Any]) -> str | None:
    return ((line.get("pricing") or {}).get("price_details") or {}).get("price")
