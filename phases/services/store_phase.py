"""Store the result of a phase."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from customers.models import Customer
from customers.services.namespace_claims import KeyOrigin
from phases.metrics import STORED
from phases.models import PhaseExecution, Repository, StorageUse
from phases.outcomes import find_pull_request_url, judge_outcome
from phases.selectors.storage import read_storage
from phases.signals import PhaseCompleted, phase_completed
from phases.summary import summarize_phase

from .charge_storage import charge_storage, find_bound, require_room, require_size
from .get_or_create_repository import get_or_create_repository

Outcome = PhaseExecution.Outcome


@dataclass(frozen=True)
class PhaseReport:
    """A phase's result as the Action sends it. `data_text` is the JSON text of `data`, stored unchanged."""

    phase: str
    namespace: str
    repository_name: str
    commit_sha: str
    issue_number: int | None
    branch: str
    data: Mapping[str, Any]
    data_text: str


@transaction.atomic
def store_phase(
    *, customer: Customer, report: PhaseReport, at: datetime, origin: KeyOrigin | None = None
) -> PhaseExecution:
    """Store a phase's result over an earlier one, and send `phase_completed` at its first success.

    One transaction. Repeating it changes nothing and sends nothing. Concurrent runners of one issue are
    serialized by a lock on its row. Raises PhaseTooLarge, StorageFull and the errors of
    `get_or_create_repository`.
    """
    size = len(report.data_text.encode())
    require_size(phase=report.phase, size=size)
    repository = get_or_create_repository(
        customer=customer, namespace=report.namespace, name=report.repository_name, origin=origin
    )
    storage = read_storage(repository)
    bound = find_bound(storage, report.phase, size)
    execution, is_new = _find_locked(customer, repository, report), False
    grown = size + StorageUse.ROW_BYTES
    if execution is None:
        require_room(storage=storage, bound=bound, size=grown)
        execution, is_new = _create_or_lock(customer, repository, report, at)
    if is_new:
        is_first_success = execution.announced_at is not None
    elif _differs(execution, report):
        grown = size - len(execution.data.encode())
        require_room(storage=storage, bound=bound, size=grown)
        is_first_success = _overwrite(execution, report, at)
    else:
        return execution
    transaction.on_commit(STORED.labels(report.phase, str(execution.outcome)).inc)
    if is_first_success:
        phase_completed.send(sender=PhaseExecution, **PhaseCompleted(execution=execution, occurred_at=at))
    charge_storage(customer=customer, bound=bound, size=grown)
    return execution


def _find_locked(customer: Customer, repository: Repository, report: PhaseReport) -> PhaseExecution | None:
    """Lock and return the row of the scan's commit, or of the issue's phase; None where there is none yet."""
    rows = PhaseExecution.objects.select_for_update().filter(**_find_key(repository, report))
    execution = rows.first()
    if execution is not None:
        execution.customer, execution.repository = customer, repository
    return execution


def _create_or_lock(
    customer: Customer, repository: Repository, report: PhaseReport, at: datetime
) -> tuple[PhaseExecution, bool]:
    """Create the row, or lock the one that a concurrent request created; return it and whether it is new."""
    fields = _find_key(repository, report) | _read_fields(report) | _read_columns(repository, report)
    fields["announced_at"] = at if fields["outcome"] == Outcome.SUCCEEDED else None
    execution = PhaseExecution(**fields, customer=customer, created_at=at, updated_at=at)
    # ON CONFLICT DO NOTHING instead of catching IntegrityError, which needs a savepoint: two more queries.
    PhaseExecution.objects.bulk_create([execution], ignore_conflicts=True)
    if not PhaseExecution.objects.filter(pk=execution.pk).exists():
        other = _find_locked(customer, repository, report)
        assert other is not None
        return other, False
    _update_sibling_phase(execution)
    return execution, True


def _find_key(repository: Repository, report: PhaseReport) -> dict[str, Any]:
    """Return the identifying columns: the commit of a scan, the issue of another phase."""
    key: dict[str, Any] = {"repository": repository, "phase": report.phase}
    if report.phase == PhaseExecution.Phase.SCAN:
        return key | {"commit_sha": report.commit_sha}
    return key | {"issue_number": report.issue_number}


def _read_fields(report: PhaseReport) -> dict[str, Any]:
    return {
        "commit_sha": report.commit_sha,
        "issue_number": report.issue_number,
        "branch": report.branch,
        "data": report.data_text,
        "outcome": judge_outcome(report.phase, report.data),
        "pull_request_url": find_pull_request_url(
            report.data,
            forge_url=settings.FORGE_URL,
            repository=f"{report.namespace}/{report.repository_name}",
        ),
    }


def _differs(execution: PhaseExecution, report: PhaseReport) -> bool:
    return any(getattr(execution, name) != value for name, value in _read_fields(report).items())


def _overwrite(execution: PhaseExecution, report: PhaseReport, at: datetime) -> bool:
    """Overwrite the row with a later result; return whether this is its first success."""
    fields = _read_fields(report) | _read_columns(execution.repository, report) | {"updated_at": at}
    is_first_success = execution.announced_at is None and fields["outcome"] == Outcome.SUCCEEDED
    if is_first_success:
        fields["announced_at"] = at
    for name, value in fields.items():
        setattr(execution, name, value)
    execution.save(update_fields=list(fields))
    _update_sibling_phase(execution)
    return is_first_success


# A mitigation often states less about its vulnerability than the validation did.
SHARED = ("severity", "vulnerability_type", "title")


def _read_columns(repository: Repository, report: PhaseReport) -> dict[str, Any]:
    """Derive the columns of lists. A fix inherits what it does not state from its issue's proof."""
    columns = asdict(summarize_phase(report.phase, report.data))
    if report.phase == PhaseExecution.Phase.SCAN:
        return columns
    others = PhaseExecution.objects.filter(repository=repository, issue_number=report.issue_number)
    if report.phase == PhaseExecution.Phase.VALIDATION:
        is_fixed = others.filter(phase=PhaseExecution.Phase.MITIGATION).exists()
        return columns | {"is_superseded": is_fixed}
    proof = others.filter(phase=PhaseExecution.Phase.VALIDATION).values(*SHARED).first() or {}
    return columns | {name: columns[name] or proof.get(name, "") for name in SHARED}


def _update_sibling_phase(execution: PhaseExecution) -> None:
    """Hide a fix's proof in lists; copy a late proof's vulnerability to a fix that states none."""
    others = PhaseExecution.objects.filter(
        repository=execution.repository, issue_number=execution.issue_number
    )
    if execution.phase == PhaseExecution.Phase.MITIGATION:
        others.filter(phase=PhaseExecution.Phase.VALIDATION).update(is_superseded=True)
    elif execution.phase == PhaseExecution.Phase.VALIDATION and execution.severity:
        unnamed = others.filter(phase=PhaseExecution.Phase.MITIGATION, severity="")
        unnamed.update(**{name: getattr(execution, name) for name in SHARED})
