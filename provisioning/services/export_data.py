"""Export a customer's data."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Unpack

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from billing.models import BillingAccount, Notification, PaymentIncident, UsageCorrection, UsageRecord
from billing.selectors.invoices import count_invoices, list_invoices
from customers.models import AuditLogEntry, Customer, User
from customers.origin import Origin
from customers.services.record_audit_log_entry import record_audit_log_entry
from phases.models import PhaseExecution, Repository

Rows = QuerySet[Any, dict[str, Any]]
ROWS_AT_A_TIME = 500
INVOICES_AT_A_TIME = 50


def export_data(*, customer: Customer, by: User, at: datetime, **origin: Unpack[Origin]) -> Iterator[str]:
    """Return everything stored about the customer as one JSON document, in pieces.

    Records the export in the audit log. Contains no hashes of keys or invitations. Rows are streamed, so
    memory use does not depend on their number.
    """
    record_audit_log_entry(
        customer=customer, action=AuditLogEntry.Action.DATA_EXPORTED, actor=by, at=at, **origin
    )
    return _write(customer, at)


def _write(customer: Customer, at: datetime) -> Iterator[str]:
    yield f'{{"exported_at": {_dump(at)}'
    for name, rows in _list_sections(customer).items():
        yield f',\n"{name}": ['
        yield from _join(rows.iterator(chunk_size=ROWS_AT_A_TIME))
        yield "]"
    yield ',\n"invoices": ['
    yield from _join(_read_invoices(customer))
    yield "]}\n"


def _join(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for position, row in enumerate(rows):
        yield f"{',' if position else ''}\n{_dump(row)}"


def _dump(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)


def _list_sections(customer: Customer) -> dict[str, Rows]:
    """Return the document's sections.

    Columns are listed by name, so that new columns are not exported by accident.
    """
    own = {"customer": customer}
    where = ("repository__forge_account__namespace", "repository__name", "issue_number")
    return {
        "account": Customer.objects.filter(pk=customer.pk).values(
            "id", "name", "email", "signup_source", "created_at", "closed_at"
        ),
        "plan": BillingAccount.objects.filter(**own).values(
            *("plan", "status", "plan_chosen_at", "current_period_start", "current_period_end"),
            *("cancel_at", "spend_cap_cents", "trial_fixes_limit"),
        ),
        "members": customer.memberships.values(
            "user__email",
            "user__name",
            "user__time_zone",
            "role",
            "wants_alerts",
            "wants_guidance",
            "created_at",
        ),
        "invitations": customer.invitations.values(
            "email", "role", "created_at", "expires_at", "accepted_at", "revoked_at"
        ),
        "api_keys": customer.api_keys.values(
            *("name", "prefix", "created_by__email", "created_at"),
            *("last_used_at", "last_used_from", "expires_at", "revoked_at"),
        ),
        "namespaces": customer.forge_accounts.values(
            "forge", "namespace", "claimed_at", "proven_at", "released_at"
        ),
        "repositories": Repository.objects.filter(forge_account__customer=customer).values(
            "forge_account__namespace", "name", "first_seen_at"
        ),
        "phases": PhaseExecution.objects.filter(**own).values(
            *("phase", *where, "commit_sha", "branch", "outcome"),
            *("pull_request_url", "data", "created_at", "updated_at"),
        ),
        "usage": UsageRecord.objects.filter(**own).values(
            "id", *where, "coverage", "plan", "unit_price_cents", "occurred_at", "report__status"
        ),
        "corrections": UsageCorrection.objects.filter(**own).values(
            "usage_id", "kind", "reason", "created_at"
        ),
        "refunds_and_disputes": PaymentIncident.objects.filter(**own).values(
            *("kind", "stripe_id", "charge", "invoice", "amount_cents", "currency", "status", "reason"),
            "occurred_at",
        ),
        "notifications": Notification.objects.filter(**own).values("kind", "data", "created_at", "mailed_at"),
        "audit_log": AuditLogEntry.objects.filter(**own).values(
            "at", "action", "actor_name", "subject", "address", "device"
        ),
    }


def _read_invoices(customer: Customer) -> Iterator[dict[str, Any]]:
    for offset in range(0, count_invoices(customer=customer), INVOICES_AT_A_TIME):
        for line in list_invoices(customer=customer, limit=INVOICES_AT_A_TIME, offset=offset):
            yield {
                "number": line.number,
                "status": line.status,
                "total_cents": line.total_cents,
                "currency": line.currency,
                "created_at": line.created_at,
                "fixes": line.fixes,
                "refunded_cents": line.refunded_cents,
                "pdf_url": line.pdf_url,
            }
