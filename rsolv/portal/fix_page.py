"""What the page of a fix shows, and a row of the list of fixes: the read model across phases and billing.

Selectors of `phases` and `billing` (`selectors/fixes.py` in each) return only the rows of their own app; here
these become the dataclasses that the templates render.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from billing.selectors.fixes import FixBilling, find_fix_billing, list_fix_billing
from core.api.json_text import read_json
from core.formats import format_cents
from customers.models import Customer
from phases.attempts import AttemptHistory, read_attempts
from phases.evidence import Evidence, name_vulnerability, read_evidence
from phases.links import build_issue_url, name_pull_request
from phases.models import PhaseExecution
from phases.selectors.fixes import FixTimeline, get_fix_timeline

Outcome = PhaseExecution.Outcome
# The badge of a validation's row, by its outcome. A mitigation's badge is its outcome.
PROOF_BADGES = {"succeeded": "proved", "failed": "not_proved", "unverified": "not_proved"}


@dataclass(frozen=True)
class FixRow:
    """An issue in the list of fixes. `billing` is None where the ledger has nothing of it."""

    id: UUID
    repository: str
    issue_number: int
    issue_url: str
    name: str
    title: str
    severity: str
    state: str
    billing: FixBilling | None
    pull_request_url: str
    pull_request_name: str
    updated_at: datetime


@dataclass(frozen=True)
class Step:
    """A step of the timeline. `state` is done, failed, open (may still come) or none (will not come)."""

    key: str
    title: str
    state: str
    text: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class FixPage:
    """One issue from its finding to its invoice. `attempts` is None until a mitigation is stored."""

    row: FixRow
    steps: list[Step]
    evidence: Evidence
    attempts: AttemptHistory | None


def get_fix_page(*, customer: Customer, execution_id: UUID, sees_billing: bool) -> FixPage:
    """Return the page of one of the customer's issues. Raises NotFound.

    The invoice is read and shown only with `sees_billing`.
    """
    timeline = get_fix_timeline(customer=customer, execution_id=execution_id)
    validation, mitigation = timeline.validation, timeline.mitigation
    evidence = read_evidence(
        validation=validation.data if validation else "", mitigation=mitigation.data if mitigation else ""
    )
    billing = find_fix_billing(execution=timeline.latest, with_invoice=sees_billing)
    return FixPage(
        row=_make_row(timeline.latest, billing),
        steps=[
            _describe_finding(timeline),
            _describe_proof(timeline),
            _describe_fix(timeline),
            _describe_verification(timeline, evidence),
            *_describe_billing(timeline, billing, sees_billing),
        ],
        evidence=evidence,
        attempts=_read_attempts(mitigation) if mitigation else None,
    )


def list_fix_rows(executions: Sequence[PhaseExecution]) -> list[FixRow]:
    """Make rows in the given order, with the billing of all of them in one query."""
    billing = list_fix_billing(executions)
    return [_make_row(each, billing.get((each.repository_id, each.issue_number))) for each in executions]


def _make_row(execution: PhaseExecution, billing: FixBilling | None) -> FixRow:
    url, repository = execution.pull_request_link, execution.repository.full_name
    issue_number = execution.issue_number or 0
    is_proof = execution.phase == PhaseExecution.Phase.VALIDATION
    return FixRow(
        id=execution.pk,
        repository=repository,
        issue_number=issue_number,
        issue_url=build_issue_url(repository, issue_number, forge_url=settings.FORGE_URL),
        name=name_vulnerability(execution.vulnerability_type) or execution.title,
        title=execution.title,
        severity=execution.severity,
        state=PROOF_BADGES[execution.outcome] if is_proof else execution.outcome,
        billing=billing,
        pull_request_url=url,
        pull_request_name=name_pull_request(url),
        updated_at=execution.updated_at,
    )


def _read_attempts(mitigation: PhaseExecution) -> AttemptHistory:
    """Read the attempts from the stored text, which may hold any JSON, or none."""
    try:
        data = read_json(mitigation.data)
    except (ValueError, RecursionError):
        data = {}
    return read_attempts(data if isinstance(data, dict) else {})


def _describe_finding(timeline: FixTimeline) -> Step:
    if timeline.scan is None:
        return Step("found", _("Found"), "none", _("No earlier scan of this repository is stored."))
    text = _("In the scan of commit %(commit)s.") % {"commit": timeline.scan.commit_sha[:10]}
    return Step("found", _("Found"), "done", text, timeline.scan.created_at)


def _describe_proof(timeline: FixTimeline) -> Step:
    proof = timeline.validation
    if proof is None:
        state = "none" if timeline.mitigation else "open"
        return Step("proved", _("Proved"), state, _("The runner stored no proof."))
    if proof.outcome == Outcome.SUCCEEDED:
        text = _("A new test fails while the vulnerability is there.")
        return Step("proved", _("Proved"), "done", text, proof.updated_at)
    text = _("No test failed because of it, so the finding may be false. Nothing is fixed or billed for it.")
    return Step("proved", _("Not proved"), "failed", text, proof.updated_at)


def _describe_fix(timeline: FixTimeline) -> Step:
    fix = timeline.mitigation
    if fix is None:
        can_come = timeline.validation is not None and timeline.validation.outcome == Outcome.SUCCEEDED
        text = _("No fix is stored yet.") if can_come else ""
        return Step("fixed", _("Fixed"), "open" if can_come else "none", text)
    if fix.outcome == Outcome.FAILED:
        text = _read_attempts(fix).error or _("The runner gave no reason.")
        return Step("fixed", _("Not fixed"), "failed", text, fix.updated_at)
    text = "" if fix.pull_request_link else _("The runner stored no pull request of this repository.")
    return Step("fixed", _("Fixed"), "done", text, fix.updated_at)


def _describe_verification(timeline: FixTimeline, evidence: Evidence) -> Step:
    fix = timeline.mitigation
    if fix is None or fix.outcome == Outcome.FAILED:
        return Step("verified", _("Verified"), "none" if fix else "open")
    if fix.outcome == Outcome.UNVERIFIED:
        text = _("The runner claimed a fix, but the tests after it do not pass.")
        return Step("verified", _("Not verified"), "failed", text, fix.updated_at)
    if evidence.is_green_after:
        text = _("All tests pass, including the new one.")
    else:
        text = _("The runner reports success without test results.")
    return Step("verified", _("Verified"), "done", text, fix.updated_at)


def _describe_billing(timeline: FixTimeline, billing: FixBilling | None, sees_billing: bool) -> list[Step]:
    if billing is None:
        return [_describe_unbilled(timeline.mitigation)]
    price = format_cents(billing.unit_price_cents, is_short=True)
    text = {
        "trial": _("Free: one of your trial's fixes."),
        "unbilled": _("It was made while you had no active plan. It is never billed."),
        "to_be_metered": _("It counts as a fix and will be sent to the meter soon."),
        "rejected": _(
            "Stripe's meter rejected it. Our staff are looking into it; nothing is billed meanwhile."
        ),
        "voided": _("Our staff voided it: it does not count."),
        "credited": _("It counted, and our staff credited its price."),
        "metered": _("It counts as one fix; beyond those your plan includes it costs %(price)s.")
        % {"price": price},
    }[billing.state]
    if billing.reason:
        text = f"{text} {_('Reason:')} {billing.reason}"
    is_counted = billing.state in ("metered", "credited")
    is_pending = billing.state == "to_be_metered"
    title = _("Metered") if is_counted or is_pending else _("Not billed")
    state = "done" if is_counted else "open" if is_pending else "none"
    steps = [Step("metered", title, state, text, billing.reported_at or billing.occurred_at)]
    if sees_billing and (is_counted or is_pending):
        steps.append(_describe_invoice(billing))
    return steps


def _describe_unbilled(fix: PhaseExecution | None) -> Step:
    if fix is None:
        return Step("metered", _("Metered"), "open")
    reasons = {
        Outcome.FAILED: _("A failed fix is never billed."),
        Outcome.UNVERIFIED: _("A fix whose tests do not pass is never billed."),
    }
    text = reasons.get(Outcome(fix.outcome), _("This fix is not in the ledger."))
    return Step("metered", _("Not billed"), "none", text)


def _describe_invoice(billing: FixBilling) -> Step:
    if billing.invoice is None:
        text = _("It will be on the invoice at the end of the period.")
        return Step("invoiced", _("Invoiced"), "open", text)
    return Step("invoiced", _("Invoiced"), "done", "", billing.invoice.created_at)
