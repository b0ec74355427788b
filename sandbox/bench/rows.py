"""Seed customers with a year's fixes by SQL in the database: a million rows in a minute. PostgreSQL only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from billing.models import BillingAccount
from billing.plans import TEAMS
from customers.models import ApiKey, Customer, ForgeAccount, Membership, User
from customers.services.manage_keys import create_api_key
from phases.models import Repository

BATCH = 2000
LARGE_REPOSITORIES = 40
REPOSITORIES_EACH = 2
# One customer has a tenth of everything.
LARGE_SHARE = 10
PERIOD = timedelta(days=30)
PERIOD_ELAPSED = timedelta(days=20)

REPOSITORY_ROWS = (
    "CREATE TEMPORARY TABLE bench_place (n int PRIMARY KEY, customer_id uuid, repository_id uuid)"
)
# For each issue a fix, the proof that the fix supersedes, and the scan before both.
PHASES = """
INSERT INTO phases_phaseexecution (id, customer_id, repository_id, phase, commit_sha, issue_number, branch,
    outcome, pull_request_url, data, severity, vulnerability_type, title, attempts, findings, is_superseded,
    created_at, updated_at, announced_at)
SELECT md5(phase || issue)::uuid, customer_id, repository_id, phase, md5('commit' || issue),
    CASE WHEN phase <> 'scan' THEN issue END, '',
    CASE WHEN phase = 'mitigation' AND issue % 7 = 0 THEN 'failed' ELSE 'succeeded' END,
    CASE WHEN phase = 'mitigation' THEN 'https://github.com/a/b/pull/' || issue ELSE '' END,
    CASE WHEN phase = 'mitigation' THEN '{"success": true, "testsPass": true, "attempts": 1}'
        ELSE '{"validated": true, "testCode": "' || repeat(md5('code' || issue), 20) || '"}' END,
    'high', 'sql_injection', 'SQL injection', 1, CASE WHEN phase = 'scan' THEN 1 END, phase = 'validation',
    happened_at, happened_at, happened_at
FROM (
    SELECT issue, %(at)s - random() * interval '365 days' AS happened_at,
        CASE WHEN issue %% %(share)s = 0 THEN (issue / %(share)s) %% %(large)s
            ELSE %(large)s + issue %% %(small)s END AS place
    FROM generate_series(1, %(issues)s) AS issue
) AS issues
JOIN bench_place ON n = place
CROSS JOIN (VALUES ('mitigation'), ('validation'), ('scan')) AS phases (phase)
""".replace("issue % 7", "issue %% 7")
USAGE = """
INSERT INTO billing_usagerecord (id, customer_id, execution_id, repository_id, issue_number, coverage, plan,
    unit_price_cents, occurred_at, created_at)
SELECT md5('usage' || issue_number)::uuid, customer_id, id, repository_id, issue_number, 'metered', 'teams',
    800, created_at, created_at
FROM phases_phaseexecution WHERE phase = 'mitigation' AND outcome = 'succeeded'
"""
REPORTS = """
INSERT INTO billing_usagereport (usage_id, status, customer_id, meter_at, generation, first_sent_at, attempts,
    failures, lost_leases, reported_at, last_error)
SELECT id, 'reported', customer_id, occurred_at, 1, occurred_at, 1, 0, 0, occurred_at, ''
FROM billing_usagerecord
"""


@dataclass(frozen=True)
class ApiClient:
    """A customer that calls the API. `key` is the raw key, `repository` one of its own as `owner/name`."""

    customer: Customer
    key: str
    repository: str


@dataclass(frozen=True)
class Seeded:
    """The seeded customers. `large` has a tenth of all rows, and `user` as its owner."""

    large: ApiClient
    api_clients: list[ApiClient]
    user: User


def seed(*, rows: int, customers: int, api_clients: int, at: datetime) -> Seeded:
    """Write about `rows` phase rows, their ledger and their customers, all on Teams, into empty tables.

    `at` is the present time; the phases are distributed over the year before it.
    """
    owners = [Customer(name=f"Bench {n}", email=f"bench{n}@bench.example") for n in range(customers)]
    Customer.objects.bulk_create(owners, batch_size=BATCH)
    start = at - PERIOD_ELAPSED
    BillingAccount.objects.bulk_create(
        (
            BillingAccount(
                customer=owner,
                plan=TEAMS.key,
                status=BillingAccount.Status.ACTIVE,
                current_period_start=start,
                current_period_end=start + PERIOD,
            )
            for owner in owners
        ),
        batch_size=BATCH,
    )
    spaces = [ForgeAccount(customer=owner, namespace=f"bench-{n}") for n, owner in enumerate(owners)]
    ForgeAccount.objects.bulk_create(spaces, batch_size=BATCH)
    repositories = list(_make_repositories(spaces))
    Repository.objects.bulk_create(repositories, batch_size=BATCH)
    _write_rows(repositories, rows // 3, at)
    user = User.objects.create_user("owner@bench.example", "demo-password")
    Membership.objects.create(customer=owners[0], user=user, role="owner", last_seen_at=at)
    called = [
        ApiClient(each, create_api_key(customer=each, name="bench").raw, f"bench-{n}/repository-0")
        for n, each in enumerate(owners[: api_clients + 1])
    ]
    ApiKey.objects.update(last_used_at=at)
    return Seeded(large=called[0], api_clients=called[1:] or called, user=user)


def _make_repositories(spaces: list[ForgeAccount]) -> Iterator[Repository]:
    for index, space in enumerate(spaces):
        for number in range(REPOSITORIES_EACH if index else LARGE_REPOSITORIES):
            yield Repository(forge_account=space, name=f"repository-{number}")


def _write_rows(repositories: list[Repository], issues: int, at: datetime) -> None:
    repository_rows = [
        (n, repository.forge_account.customer_id, repository.pk) for n, repository in enumerate(repositories)
    ]
    numbers: dict[str, Any] = {
        "at": at,
        "issues": issues,
        "share": LARGE_SHARE,
        "large": LARGE_REPOSITORIES,
        "small": max(1, len(repositories) - LARGE_REPOSITORIES),
    }
    with connection.cursor() as cursor:
        cursor.execute(REPOSITORY_ROWS)
        cursor.executemany("INSERT INTO bench_place VALUES (%s, %s, %s)", repository_rows)
        cursor.execute(PHASES, numbers)
        cursor.execute(USAGE)
        cursor.execute(REPORTS)
        cursor.execute("DROP TABLE bench_place")
        cursor.execute("ANALYZE")
