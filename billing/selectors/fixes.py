"""Fixes in the ledger as their customer sees them: state of billing, lines of an invoice, evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, CharField, Exists, F, OuterRef, Value, When
from django.db.models.functions import Length

from billing.models import CorrectionReport, UsageCorrection, UsageRecord
from core.errors import NotFound
from customers.models import Customer
from phases.evidence import Evidence, read_evidence
from phases.links import build_issue_url, name_pull_request
from phases.models import PhaseExecution

from .invoices import InvoiceLine, find_invoice_with_fix

# Longer results are read on the fix's own page only, so that a list of many fixes stays small.
LONGEST_READ = 64 * 1024
SHORT_CLIP = 2_000

# States of a meter event that has ended; until then the fix is "to_be_metered".
METERED_STATES = {"reported": "metered", "parked": "rejected", "withdrawn": "voided"}


@dataclass(frozen=True)
class FixBilling:
    """Billing of one fix. `state` is trial, unbilled, to_be_metered, metered, rejected, voided or credited.

    `unit_price_cents` is the price in US cents of a fix beyond those that the plan includes. `reason` is the
    one that staff gave for a correction.
    """

    state: str
    usage_id: UUID
    occurred_at: datetime
    unit_price_cents: int
    reported_at: datetime | None = None
    reason: str = ""
    invoice: InvoiceLine | None = None


@dataclass(frozen=True)
class FixCorrection:
    """A correction by staff, with the reason that the customer reads."""

    kind: str
    reason: str
    made_at: datetime


@dataclass(frozen=True)
class InvoicedFix:
    """A fix that an invoice bills. Amounts are in US cents; `counts` is False where it was voided."""

    usage_id: UUID
    repository: str
    issue_number: int
    pull_request_url: str
    occurred_at: datetime
    coverage: str
    plan: str
    unit_price_cents: int
    cost_cents: int
    counts: bool
    correction: FixCorrection | None
    credited_cents: int
    evidence: Evidence | None

    def with_cost(self, cents: int) -> "InvoicedFix":
        return replace(self, cost_cents=cents)

    @property
    def issue_url(self) -> str:
        return build_issue_url(self.repository, self.issue_number, forge_url=settings.FORGE_URL)

    @property
    def pull_request_name(self) -> str:
        return name_pull_request(self.pull_request_url)


def list_fix_billing(executions: Sequence[PhaseExecution]) -> dict[tuple[UUID, int | None], FixBilling]:
    """Map repository and issue of the fixes that are in the ledger to their billing. One query."""
    usages = UsageRecord.objects.filter(execution__in=[each.pk for each in executions])
    rows = usages.select_related("report", "correction").order_by()
    return {(row.repository_id, row.issue_number): _to_billing(row) for row in rows}


def find_fix_billing(*, execution: PhaseExecution, with_invoice: bool) -> FixBilling | None:
    """Return the billing of an issue's fix, None where the ledger has none.

    The fix is found by repository and issue, so that the issue's validation finds it too. `with_invoice` adds
    the invoice, for those who may see billing; it reads dj-stripe's mirror.
    """
    usage = (
        UsageRecord.objects.filter(
            repository=execution.repository_id, issue_number=execution.issue_number or 0
        )
        .select_related("report", "correction")
        .first()
    )
    if usage is None:
        return None
    report = getattr(usage, "report", None)
    meter_at = report.meter_at if report and report.status == "reported" else None
    invoice = None
    if with_invoice and meter_at:
        invoice = find_invoice_with_fix(customer_id=usage.customer_id, meter_at=meter_at)
    return _to_billing(usage, invoice)


def get_fix(*, customer: Customer, usage_id: UUID) -> InvoicedFix:
    """Return one of the customer's fixes with all of its evidence. Raises NotFound."""
    usage = (
        UsageRecord.objects.filter(customer=customer, pk=usage_id)
        .select_related("execution", "repository__forge_account", "correction__report", "report")
        .first()
    )
    if usage is None:
        raise NotFound
    texts = _read_texts([usage], longest=None)
    return _describe_fix(usage, _read(texts, usage, clip=20_000))


def describe_fixes(usages: Sequence[UsageRecord], *, evidence_for: int) -> list[InvoicedFix]:
    """Describe fixes in the given order, the first `evidence_for` with clipped evidence. One query."""
    texts = _read_texts(usages[:evidence_for], longest=LONGEST_READ)
    return [
        _describe_fix(usage, _read(texts, usage, clip=SHORT_CLIP) if index < evidence_for else None)
        for index, usage in enumerate(usages)
    ]


Texts = dict[tuple[UUID, int | None, str], str]


def _read_texts(usages: Sequence[UsageRecord], *, longest: int | None) -> Texts:
    """Read the stored results of both phases of the fixes, by repository, issue and phase."""
    of_these = UsageRecord.objects.filter(
        pk__in=[usage.pk for usage in usages],
        repository_id=OuterRef("repository_id"),
        issue_number=OuterRef("issue_number"),
    )
    # The two lists let PostgreSQL use the unique index; alone they pair every repository with every issue.
    rows = PhaseExecution.objects.filter(
        Exists(of_these),
        phase__in=(PhaseExecution.Phase.VALIDATION, PhaseExecution.Phase.MITIGATION),
        repository_id__in={usage.repository_id for usage in usages},
        issue_number__in={usage.issue_number for usage in usages},
    ).order_by()
    text: Any = F("data")
    if longest is not None:
        rows = rows.alias(length=Length("data"))
        text = Case(When(length__lte=longest, then=text), default=Value(""), output_field=CharField())
    found = rows.values_list("repository_id", "issue_number", "phase", text)
    return {(repository_id, issue, phase): text for repository_id, issue, phase, text in found}


def _read(texts: Texts, usage: UsageRecord, *, clip: int) -> Evidence:
    key = (usage.repository_id, usage.issue_number)
    return read_evidence(
        validation=texts.get((*key, PhaseExecution.Phase.VALIDATION), ""),
        mitigation=texts.get((*key, PhaseExecution.Phase.MITIGATION), ""),
        clip=clip,
    )


def _to_billing(usage: UsageRecord, invoice: InvoiceLine | None = None) -> FixBilling:
    # Django raises an AttributeError for a missing reverse one-to-one.
    correction, report = getattr(usage, "correction", None), getattr(usage, "report", None)
    if correction is not None:
        state = "voided" if correction.kind == "void" else "credited"
    elif usage.coverage != UsageRecord.Coverage.METERED:
        state = usage.coverage
    else:
        state = METERED_STATES.get(report.status, "to_be_metered") if report else "to_be_metered"
    return FixBilling(
        state=state,
        usage_id=usage.pk,
        occurred_at=usage.occurred_at,
        unit_price_cents=usage.unit_price_cents,
        reported_at=report.reported_at if report else None,
        reason=correction.reason if correction else "",
        invoice=invoice,
    )


def _describe_fix(usage: UsageRecord, evidence: Evidence | None) -> InvoicedFix:
    correction: UsageCorrection | None = getattr(usage, "correction", None)
    report = getattr(usage, "report", None)
    return InvoicedFix(
        usage_id=usage.pk,
        repository=usage.repository.full_name,
        issue_number=usage.issue_number,
        pull_request_url=usage.execution.pull_request_link,
        occurred_at=usage.occurred_at,
        coverage=usage.coverage,
        plan=usage.plan,
        unit_price_cents=usage.unit_price_cents,
        cost_cents=0,
        # A fix that was credited after it left the meter is still in the quantity of its invoice.
        counts=report is not None and (report.status != "withdrawn" or _read_credit(correction) > 0),
        correction=(
            FixCorrection(correction.kind, correction.reason, correction.created_at) if correction else None
        ),
        credited_cents=_read_credit(correction),
        evidence=evidence,
    )


def _read_credit(correction: UsageCorrection | None) -> int:
    """Return the cents that Stripe has credited to the customer's balance, 0 while the credit is not sent."""
    report: CorrectionReport | None = getattr(correction, "report", None)
    done = report is not None and report.resolution == CorrectionReport.Resolution.CREDIT
    return report.amount_cents if report is not None and done else 0
