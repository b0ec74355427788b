"""An invoice with more lines than Stripe embeds is mirrored whole, so that it is explained and reconciled."""

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Discrepancy, UsageReport
from billing.plans import TEAMS
from billing.selectors.explained_invoice import explain_invoice
from billing.selectors.invoices import find_invoice_with_fix
from billing.services.reconciliation.reconcile import reconcile
from billing.services.subscriptions.change_plan import preview_change
from billing.stripe_gateway.client import get_client
from customers.models import Customer
from tests.billing.billing_env import BillingEnv
from tests.billing.ledger import report_fixes
from tests.billing.services.corrections.test_report_correction import correct, list_credits, send

PRODUCTS = 11
# The prorations of the added products come first, then the fixes, then the products' next month.
LINES = PRODUCTS + 1 + PRODUCTS


def add_products(billing_env: BillingEnv, customer: Customer) -> None:
    """Add other products to the subscription, as staff may at Stripe."""
    client = get_client().v1
    product = client.products.create({"name": "Support"}).id
    prices = [
        client.prices.create(
            {
                "product": product,
                "currency": "usd",
                "unit_amount": 100 * number,
                "recurring": {"interval": "month"},
            }
        )
        for number in range(1, PRODUCTS + 1)
    ]
    client.subscriptions.update(
        str(billing_env.account(customer).subscription_id),
        {"items": [{"price": price.id} for price in prices], "proration_behavior": "create_prorations"},
    )


@pytest.fixture
def invoiced(billing_env: BillingEnv, customer: Customer) -> Customer:
    """A customer with two fixes on an invoice of LINES lines."""
    report_fixes(customer, 2)
    billing_env.stripe.control.advance(days=10)
    add_products(billing_env, customer)
    billing_env.close_month()
    return customer


class TestMirrorInvoice:
    def test_explains_every_line(self, billing_env: BillingEnv, invoiced: Customer) -> None:
        number = billing_env.stripe.control.objects("invoice")[-1]["number"]
        explained = explain_invoice(customer=invoiced, invoice_id=number)
        assert (len(explained.lines), explained.is_complete, explained.agrees) == (LINES, True, True)
        assert [line.counted for line in explained.lines if line.is_of_fixes] == [2]
        assert explained.invoice.fixes == 2

    def test_lists_the_invoice_with_its_fix(self, invoiced: Customer) -> None:
        meter_at = UsageReport.objects.filter(customer=invoiced).values_list("meter_at", flat=True)[0]
        found = find_invoice_with_fix(customer_id=invoiced.pk, meter_at=meter_at)
        assert found is not None and found.fixes == 2

    def test_reconciles(self, billing_env: BillingEnv, invoiced: Customer) -> None:
        reconcile(at=billing_env.now() + timedelta(hours=30), customer=invoiced)
        assert list(Discrepancy.objects.values_list("kind", flat=True)) == []

    def test_credits_a_voided_fix_at_its_price(self, billing_env: BillingEnv, invoiced: Customer) -> None:
        report = send(correct(UsageReport.objects.filter(customer=invoiced)[0].usage))
        assert (report.status, list_credits(billing_env, invoiced)) == ("done", [1500])


class TestPreviewPlan:
    def test_previews_every_line(self, billing_env: BillingEnv, customer: Customer, settings: Any) -> None:
        settings.METER_SETTLE_SECONDS = 0
        report_fixes(customer, 2)
        billing_env.stripe.control.advance(days=10)
        add_products(billing_env, customer)
        shown = preview_change(customer=customer, plan=TEAMS, at=billing_env.now())
        assert len(shown.lines) > PRODUCTS
        assert shown.now_cents == sum(line.amount_cents for line in shown.lines)
