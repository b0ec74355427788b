"""Seed thousands of customers with fixes, to measure the portal's pages. Needs no Stripe."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from billing.models import BillingAccount, UsageRecord, UsageReport
from billing.plans import TEAMS
from customers.models import Customer, ForgeAccount, Membership, User
from phases.models import PhaseExecution, Repository
from phases.summary import SEVERITIES

from .bulk_seed import batched

EMAIL = "busy@bulk.example"
REPOSITORIES_EACH = 2
BUSY_REPOSITORIES = 40
BATCH = 2000
VULNERABILITIES = ("sql_injection", "xss", "path_traversal", "ssrf", "weak_hash")
OUTCOMES = ("succeeded",) * 8 + ("failed", "unverified")
DAYS = 365


def seed_portal(*, customers: int, fixes: int, busy_fixes: int, at: datetime) -> User:
    """Seed customers with a year of results before `at`: a fix and a proof of each issue, and scans.

    `fixes` is the total number; `busy_fixes` of them belong to one customer, whose owner is returned. Needs
    an empty database.
    """
    rng = random.Random(5)  # noqa: S311 - the same customers each time
    owners = [Customer(name=f"Bulk {n}", email=f"bulk{n}@bulk.example") for n in range(customers)]
    Customer.objects.bulk_create(owners, batch_size=BATCH)
    start = at - timedelta(days=10)
    BillingAccount.objects.bulk_create(
        (
            BillingAccount(
                customer=owner,
                plan=TEAMS.key,
                status=BillingAccount.Status.ACTIVE,
                current_period_start=start,
                current_period_end=start + timedelta(days=30),
            )
            for owner in owners
        ),
        batch_size=BATCH,
    )
    repositories = _make_repositories(owners)
    numbers = count(1)
    each = (fixes - busy_fixes) // max(1, customers - 1)
    for batch in batched(_distribute(owners, repositories, each, busy_fixes, rng), BATCH):
        _write(batch, numbers, at, rng)
    user = User.objects.create_user(EMAIL, "demo-password")
    Membership.objects.create(
        customer=owners[0], user=user, role="owner", last_seen_at=at - timedelta(days=3)
    )
    return user


def _make_repositories(owners: list[Customer]) -> dict[Any, list[Repository]]:
    spaces = [ForgeAccount(customer=owner, namespace=f"bulk-{n}") for n, owner in enumerate(owners)]
    ForgeAccount.objects.bulk_create(spaces, batch_size=BATCH)
    found = {
        space.customer_id: [
            Repository(forge_account=space, name=f"repository-{n}")
            for n in range(REPOSITORIES_EACH if index else BUSY_REPOSITORIES)
        ]
        for index, space in enumerate(spaces)
    }
    Repository.objects.bulk_create((row for rows in found.values() for row in rows), batch_size=BATCH)
    return found


def _distribute(
    owners: list[Customer],
    repositories: dict[Any, list[Repository]],
    each: int,
    busy_fixes: int,
    rng: random.Random,
) -> Iterator[tuple[Customer, Repository]]:
    """Yield customer and repository of each fix."""
    for index, owner in enumerate(owners):
        for _ in range(each if index else busy_fixes):
            yield owner, rng.choice(repositories[owner.pk])


def _write(
    batch: list[tuple[Customer, Repository]], numbers: Iterator[int], at: datetime, rng: random.Random
) -> None:
    executions, usages, reports = [], [], []
    for owner, repository in batch:
        moment = at - timedelta(days=DAYS * rng.random())
        rows = _make_phases(owner, repository, next(numbers), moment, rng)
        executions += rows
        fix = rows[0]
        if fix.outcome != PhaseExecution.Outcome.SUCCEEDED:
            continue
        usage = UsageRecord(
            customer=owner,
            execution=fix,
            repository=repository,
            issue_number=fix.issue_number or 0,
            coverage=UsageRecord.Coverage.METERED,
            plan=TEAMS.key,
            unit_price_cents=TEAMS.unit_price_cents,
            occurred_at=moment,
        )
        usages.append(usage)
        reports.append(
            UsageReport(
                usage=usage,
                customer=owner,
                status=UsageReport.Status.REPORTED,
                next_attempt_at=None,
                meter_at=moment,
                first_sent_at=moment,
                reported_at=moment,
            )
        )
    PhaseExecution.objects.bulk_create(executions)
    UsageRecord.objects.bulk_create(usages)
    UsageReport.objects.bulk_create(reports)


def _make_phases(
    owner: Customer, repository: Repository, number: int, at: datetime, rng: random.Random
) -> list[PhaseExecution]:
    severity, vulnerability = rng.choice(SEVERITIES), rng.choice(VULNERABILITIES)
    shared: dict[str, Any] = {"customer": owner, "repository": repository, "created_at": at, "updated_at": at}
    shared |= {"commit_sha": f"{number:040x}"}
    named: dict[str, Any] = {
        "issue_number": number,
        "severity": severity,
        "vulnerability_type": vulnerability,
    }
    proof = {
        "validated": True,
        "redTests": [{"testName": f"test_{vulnerability}", "testCode": "assert safe\n" * 40}],
    }
    found = {"vulnerabilities": [{"type": vulnerability, "severity": severity, "file": "app.py", "line": 4}]}
    fix = {
        "success": True,
        "testsPass": True,
        "attempts": 1,
        "prUrl": f"https://github.com/{repository.full_name}/pull/{number}",
    }
    return [
        PhaseExecution(
            phase="mitigation",
            outcome=rng.choice(OUTCOMES),
            pull_request_url=str(fix["prUrl"]),
            data=json.dumps(fix),
            **shared,
            **named,
        ),
        PhaseExecution(
            phase="validation",
            outcome="succeeded",
            data=json.dumps(proof | found),
            is_superseded=True,
            **shared,
            **named,
        ),
        PhaseExecution(phase="scan", outcome="succeeded", data=json.dumps(found), findings=1, **shared),
    ]
