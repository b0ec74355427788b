"""Fixes of the ledger as their customer reads them: what was fixed, what proves it, what became of it."""

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

# Longer results are read on the fix's own page only, so that a page of many stays small.
LONGEST_READ = 64 * 1024
SHORT_CLIP = 2_000


@dataclass(frozen=True)
class Mark:
    """A correction by staff, with the reason that the customer reads."""

    kind: str
    reason: str
    made_at: datetime


@dataclass(frozen=True)
class FixOfLine:
    """A fix that an invoice bills. Amounts are in US cents; `counts` is False where it was taken off."""

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
    mark: Mark | None
    credited_cents: int
    evidence: Evidence | None

    def with_cost(self, cents: int) -> "FixOfLine":
        return replace(self, cost_cents=cents)

    @property
    def issue_url(self) -> str:
        return build_issue_url(self.repository, self.issue_number, forge_url=settings.FORGE_URL)

    @property
    def pull_request_name(self) -> str:
        return name_pull_request(self.pull_request_url)


def get_fix(*, customer: Customer, usage_id: UUID) -> FixOfLine:
    """One of the customer's fixes with all of its evidence. Raises NotFound."""
    usage = (
        UsageRecord.objects.filter(customer=customer, pk=usage_id)
        .select_related("execution", "repository__forge_account", "correction__report", "report")
        .first()
    )
    if usage is None:
        raise NotFound
    texts = _read_texts([usage], longest=None)
    return _describe_fix(usage, _read(texts, usage, clip=20_000))


def describe_fixes(usages: Sequence[UsageRecord], *, evidence_for: int) -> list[FixOfLine]:
    """Fixes in the given order, short evidence with the first so many. One query beside the fixes' own."""
    texts = _read_texts(usages[:evidence_for], longest=LONGEST_READ)
    return [
        _describe_fix(usage, _read(texts, usage, clip=SHORT_CLIP) if index < evidence_for else None)
        for index, usage in enumerate(usages)
    ]


Texts = dict[tuple[UUID, int | None, str], str]


def _read_texts(usages: Sequence[UsageRecord], *, longest: int | None) -> Texts:
    """The results of both phases for the fixes' issues, by repository, issue and phase."""
    of_these = UsageRecord.objects.filter(
        pk__in=[usage.pk for usage in usages],
        repository_id=OuterRef("repository_id"),
        issue_number=OuterRef("issue_number"),
    )
    # The lists let the unique index find them; only together with the subquery are the pairs the right ones.
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


def _describe_fix(usage: UsageRecord, evidence: Evidence | None) -> FixOfLine:
    correction: UsageCorrection | None = getattr(usage, "correction", None)
    report = getattr(usage, "report", None)
    return FixOfLine(
        usage_id=usage.pk,
        repository=usage.repository.full_name,
        issue_number=usage.issue_number,
        pull_request_url=usage.execution.pull_request_link,
        occurred_at=usage.occurred_at,
        coverage=usage.coverage,
        plan=usage.plan,
        unit_price_cents=usage.unit_price_cents,
        cost_cents=0,
        counts=report is not None and (report.status != "withdrawn" or _read_credit(correction) > 0),
        mark=Mark(correction.kind, correction.reason, correction.created_at) if correction else None,
        credited_cents=_read_credit(correction),
        evidence=evidence,
    )


def _read_credit(correction: UsageCorrection | None) -> int:
    """What was credited to the customer's balance, as far as Stripe has it."""
    report: CorrectionReport | None = getattr(correction, "report", None)
    done = report is not None and report.resolution == CorrectionReport.Resolution.CREDIT
    return report.amount_cents if report is not None and done else 0
