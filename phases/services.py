"""Every change of a phase's state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from customers.models import Customer
from customers.services import claim_namespace

from .facts import read_facts
from .metrics import STORED
from .models import PhaseExecution, Repository
from .outcomes import find_pull_request_url, judge_outcome
from .selectors import find_own_repository, find_repository
from .signals import PhaseCompleted, phase_completed

Outcome = PhaseExecution.Outcome


@dataclass(frozen=True)
class PhaseReport:
    """A phase's result as the Action sends it. `data_text` is the JSON text of `data`, kept as it is."""

    phase: str
    namespace: str
    repository_name: str
    commit_sha: str
    issue_number: int | None
    branch: str
    data: Mapping[str, Any]
    data_text: str


@transaction.atomic
def store_phase(*, customer: Customer, report: PhaseReport, at: datetime) -> PhaseExecution:
    """Store a phase's result, the latest winning, and announce its first success in the same transaction.

    Repeating it changes nothing and announces nothing. Runners that race on one issue take turns on its
    row. Raises customers.services.NamespaceHeld.
    """
    repository = get_or_create_repository(
        customer=customer, namespace=report.namespace, name=report.repository_name
    )
    execution, is_new = _lock_or_create(customer, repository, report, at)
    if is_new:
        is_first_success = execution.announced_at is not None
    elif _differs(execution, report):
        is_first_success = _take_over(execution, report, at)
    else:
        return execution
    transaction.on_commit(STORED.labels(report.phase, str(execution.outcome)).inc)
    if is_first_success:
        phase_completed.send(sender=PhaseExecution, **PhaseCompleted(execution=execution, occurred_at=at))
    return execution


def get_or_create_repository(*, customer: Customer, namespace: str, name: str) -> Repository:
    """The customer's repository, its namespace claimed on first use. Raises NamespaceHeld. Safe to race."""
    repository = find_own_repository(customer=customer, namespace=namespace, name=name)
    if repository is not None:
        return repository
    account = claim_namespace(customer=customer, namespace=namespace)
    repository = find_repository(account=account, name=name)
    if repository is None:
        try:
            with transaction.atomic():
                return Repository.objects.create(forge_account=account, name=name)
        except IntegrityError:
            repository = Repository.objects.get(forge_account=account, name__iexact=name)
    repository.forge_account = account
    return repository


def _lock_or_create(
    customer: Customer, repository: Repository, report: PhaseReport, at: datetime
) -> tuple[PhaseExecution, bool]:
    key: dict[str, Any] = {"repository": repository, "phase": report.phase}
    if report.phase == PhaseExecution.Phase.SCAN:
        key["commit_sha"] = report.commit_sha
    else:
        key["issue_number"] = report.issue_number
    rows = PhaseExecution.objects.select_for_update().filter(**key)
    execution = rows.first()
    if execution is None:
        try:
            with transaction.atomic():
                fields = _read_fields(report)
                fields |= _read_columns(repository, report)
                fields["announced_at"] = at if fields["outcome"] == Outcome.SUCCEEDED else None
                execution = PhaseExecution.objects.create(
                    **(key | fields), customer=customer, created_at=at, updated_at=at
                )
                _tell_other_phase(execution)
                return execution, True
        except IntegrityError:
            execution = rows.get()
    return execution, False


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


def _take_over(execution: PhaseExecution, report: PhaseReport, at: datetime) -> bool:
    """Overwrite the row with a later result; return whether that is its first success."""
    fields = _read_fields(report) | _read_columns(execution.repository, report) | {"updated_at": at}
    is_first_success = execution.announced_at is None and fields["outcome"] == Outcome.SUCCEEDED
    if is_first_success:
        fields["announced_at"] = at
    for name, value in fields.items():
        setattr(execution, name, value)
    execution.save(update_fields=list(fields))
    _tell_other_phase(execution)
    return is_first_success


# A fix often says less of its flaw than the proof did.
SHARED = ("severity", "flaw_type", "title")


def _read_columns(repository: Repository, report: PhaseReport) -> dict[str, Any]:
    """What lists show. A fix takes from its issue's proof what it does not say; a proof knows of its fix."""
    columns = asdict(read_facts(report.phase, report.data))
    if report.phase == PhaseExecution.Phase.SCAN:
        return columns
    others = PhaseExecution.objects.filter(repository=repository, issue_number=report.issue_number)
    if report.phase == PhaseExecution.Phase.VALIDATION:
        is_fixed = others.filter(phase=PhaseExecution.Phase.MITIGATION).exists()
        return columns | {"is_superseded": is_fixed}
    proof = others.filter(phase=PhaseExecution.Phase.VALIDATION).values(*SHARED).first() or {}
    return columns | {name: columns[name] or proof.get(name, "") for name in SHARED}


def _tell_other_phase(execution: PhaseExecution) -> None:
    """A fix takes its proof's place in lists; a late proof names the flaw of a fix that does not."""
    others = PhaseExecution.objects.filter(
        repository=execution.repository, issue_number=execution.issue_number
    )
    if execution.phase == PhaseExecution.Phase.MITIGATION:
        others.filter(phase=PhaseExecution.Phase.VALIDATION).update(is_superseded=True)
    elif execution.phase == PhaseExecution.Phase.VALIDATION and execution.severity:
        unnamed = others.filter(phase=PhaseExecution.Phase.MITIGATION, severity="")
        unnamed.update(**{name: getattr(execution, name) for name in SHARED})
