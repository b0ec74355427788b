"""Seed thousands of customers with usage and an invoiced month, to measure reconciliation.

Stripe's objects are created in one call. Our rows are written in bulk from Stripe's lists, as if all webhooks
had been processed.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

import httpx
from django.conf import settings
from djstripe import models as djstripe

from billing.models import BillingAccount, UsageRecord, UsageReport
from billing.plans import PAYG, PLANS, TEAMS, Plan
from billing.stripe_gateway.meter import MeterEvent, report_usage
from billing.stripe_gateway.prices import sync_plans
from billing.stripe_gateway.snapshots import parse_subscription
from customers.models import Customer, ForgeAccount
from phases.models import PhaseExecution, Repository

T = TypeVar("T")
BATCH = 1000
MONTH = timedelta(days=31, hours=2)


class BulkSeeder:
    """Seeds customers in a new sandbox Stripe and an empty database."""

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=settings.STRIPE_API_BASE, timeout=3600, trust_env=False)
        self._http.headers["Authorization"] = f"Bearer {settings.STRIPE_SECRET_KEY}"

    def seed(self, *, customers: int, fixes: int) -> None:
        """Seed customers, half on each paid plan, with `fixes` each in an invoiced month.

        Some of them, about 1000 fixes in total, have the same usage again in the current month.
        """
        self._open_subscriptions(customers, fixes)
        now = self._get("/_sandbox/clock")["now"]
        self._post("clock", {"set_to": now + int(MONTH.total_seconds())})
        self._write_accounts()
        self._write_invoices()
        self._report_more_usage(fixes)
        self._write_ledger()

    def seed_subscriptions(self, *, customers: int) -> None:
        """Seed customers with an active subscription, half on each paid plan, without usage."""
        self._open_subscriptions(customers, 0)
        self._write_accounts()

    def _open_subscriptions(self, customers: int, fixes: int) -> None:
        sync_plans()
        for plan in (PAYG, TEAMS):
            body = {"subscriptions": customers // 2, "events_each": fixes, "prices": _list_keys(plan)}
            self._post("seed", body)

    def _write_accounts(self) -> None:
        for batch in batched(self._list("/v1/subscriptions"), BATCH):
            ours = [
                Customer(name=f"Bulk {data['customer']}", email=f"{data['customer']}@example.com")
                for data in batch
            ]
            Customer.objects.bulk_create(ours)
            djstripe.Customer.objects.bulk_create(
                djstripe.Customer(
                    id=data["customer"], livemode=False, subscriber=mine, stripe_data={"id": data["customer"]}
                )
                for data, mine in zip(batch, ours, strict=True)
            )
            djstripe.Subscription.objects.bulk_create(
                djstripe.Subscription(
                    id=data["id"], livemode=False, customer_id=data["customer"], stripe_data=data
                )
                for data in batch
            )
            BillingAccount.objects.bulk_create(
                _make_account(data, mine) for data, mine in zip(batch, ours, strict=True)
            )

    def _write_invoices(self) -> None:
        for batch in batched(self._list("/v1/invoices"), BATCH):
            djstripe.Invoice.objects.bulk_create(
                djstripe.Invoice(
                    id=data["id"],
                    livemode=False,
                    customer_id=data["customer"],
                    created=datetime.fromtimestamp(data["created"], UTC),
                    stripe_data=data,
                )
                for data in batch
            )

    def _report_more_usage(self, fixes: int) -> None:
        """Report usage of the current month to Stripe, one event per fix."""
        at = datetime.fromtimestamp(self._get("/_sandbox/clock")["now"], UTC)
        for account in BillingAccount.objects.order_by("pk")[: 1000 // max(1, fixes)]:
            for number in range(fixes):
                report_usage(
                    MeterEvent(
                        identifier=f"bulk-{account.pk}-{number}",
                        stripe_customer_id=str(account.stripe_customer_id),
                        at=at,
                        attempt=1,
                    )
                )

    def _write_ledger(self) -> None:
        accounts = {str(each.stripe_customer_id): each for each in BillingAccount.objects.all()}
        repositories = _make_repositories(list(accounts.values()))
        for batch in batched(enumerate(self._get("/_sandbox/meter_events"), 1), BATCH):
            executions, usages, reports = [], [], []
            for number, event in batch:
                account = accounts[event["customer"]]
                at = datetime.fromtimestamp(event["timestamp"], UTC)
                execution = PhaseExecution(
                    customer_id=account.pk,
                    repository=repositories[account.pk],
                    phase=PhaseExecution.Phase.MITIGATION,
                    commit_sha="c0ffee",
                    issue_number=number,
                    outcome=PhaseExecution.Outcome.SUCCEEDED,
                    data='{"fixed": true}',
                    created_at=at,
                    updated_at=at,
                )
                usage = UsageRecord(
                    customer_id=account.pk,
                    execution=execution,
                    repository=repositories[account.pk],
                    issue_number=number,
                    coverage=UsageRecord.Coverage.METERED,
                    plan=account.plan,
                    unit_price_cents=PLANS[account.plan].unit_price_cents,
                    occurred_at=at,
                )
                executions.append(execution)
                usages.append(usage)
                reports.append(
                    UsageReport(
                        usage=usage,
                        customer_id=account.pk,
                        status=UsageReport.Status.REPORTED,
                        next_attempt_at=None,
                        meter_at=at,
                        first_sent_at=at,
                        reported_at=at,
                    )
                )
            PhaseExecution.objects.bulk_create(executions)
            UsageRecord.objects.bulk_create(usages)
            UsageReport.objects.bulk_create(reports)

    def _list(self, path: str) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = self._get(path, query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query["starting_after"] = page["data"][-1]["id"]

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._http.post(f"/_sandbox/{path}", json=body).raise_for_status().json()


def _list_keys(plan: Plan) -> list[str]:
    return [key for key in (plan.flat_price, plan.fix_price) if key]


def _make_account(data: dict[str, Any], customer: Customer) -> BillingAccount:
    found = parse_subscription(data)
    keys = {item["price"]["lookup_key"] for item in data["items"]["data"]}
    plan = PAYG if PAYG.fix_price in keys else TEAMS
    return BillingAccount(
        customer=customer,
        plan=plan.key,
        monthly_price_cents=plan.monthly_price_cents,
        included_fixes=plan.included,
        unit_price_cents=plan.unit_price_cents,
        status=BillingAccount.Status.ACTIVE,
        stripe_customer_id=data["customer"],
        subscription_id=data["id"],
        current_period_start=found.current_period_start,
        current_period_end=found.current_period_end,
    )


def _make_repositories(accounts: list[BillingAccount]) -> dict[Any, Repository]:
    found: dict[Any, Repository] = {}
    for batch in batched(accounts, BATCH):
        spaces = [ForgeAccount(customer_id=each.pk, namespace=f"bulk-{each.pk}") for each in batch]
        ForgeAccount.objects.bulk_create(spaces)
        rows = [Repository(forge_account=space, name="shop") for space in spaces]
        Repository.objects.bulk_create(rows)
        found |= {each.pk: row for each, row in zip(batch, rows, strict=True)}
    return found


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of up to `size` items. The standard library's needs Python 3.12."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
