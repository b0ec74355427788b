"""The pages of invoices and fixes."""

from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from billing.selectors.explained_invoice import explain_invoice
from billing.selectors.fixes import get_fix
from billing.selectors.invoices import count_invoices, list_invoices
from customers.models import Customer

from .access import billing_page

log = structlog.get_logger(__name__)

PAGE = 20


@billing_page
def show_invoices(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    total = count_invoices(customer=customer)
    pages = max(1, -(-total // PAGE))
    page = min(_read_page(request), pages)
    context = {
        "invoices": list_invoices(customer=customer, limit=PAGE, offset=(page - 1) * PAGE),
        "page": page,
        "pages": pages,
        "newer": page - 1,
        "older": page + 1 if page < pages else 0,
    }
    return render(request, "billing/invoices.html", context)


def _read_page(request: HttpRequest) -> int:
    page = request.GET.get("page", "1")
    # isascii, because "²" is a digit, but no int.
    return max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1


@billing_page
def show_invoice(request: HttpRequest, customer: Customer, reference: str) -> HttpResponseBase:
    """Show an invoice with its fixes. If our sum differs from Stripe's, the page says so and it is logged."""
    explained = explain_invoice(customer=customer, invoice_id=reference)
    if explained.is_final and not explained.agrees:
        log.error("invoice_differs", invoice=explained.invoice.id, customer=str(customer.pk))
    return render(request, "billing/invoice.html", {"explained": explained, "invoice": explained.invoice})


@billing_page
def show_fix(request: HttpRequest, customer: Customer, usage_id: UUID) -> HttpResponseBase:
    return render(request, "billing/fix.html", {"fix": get_fix(customer=customer, usage_id=usage_id)})
