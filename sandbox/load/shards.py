"""Scenario: one Action run, split into parallel jobs that share a key."""

import io
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
from django.core.management import call_command

from billing.models import BillingAccount, UsageRecord, UsageReport

from .environment import LoadEnvironment
from .requests import TimedRequest, send_in_sequence
from .results import Result

COMMIT = "c0ffee" * 6 + "cafe"
CANDIDATES = 10
TARGET = "\n".join(
    ["import { shop } from '../shop'", "describe('shop', () => {"]
    + [
        f"  it('sells thing {number}', () => {{\n    expect(shop.sell({number})).toBe(true)\n  }})"
        for number in range(60)
    ]
    + ["})", ""]
)
VULNERABILITY = {"type": "sql_injection", "severity": "high", "file": "src/shop.ts", "line": 4}


@dataclass(frozen=True)
class ActionShards:
    """Shards that each prove and fix some issues, with six sequential requests per issue.

    The defaults are the most that one customer's rate limits allow in a minute. No request may be rejected.
    """

    name: str = "action_shards"
    shards: int = 8
    issues_each: int = 6

    def run(self, env: LoadEnvironment) -> Result:
        namespace = self.name.replace("_", "-")
        customer_id, key = self._sign_up(namespace)
        mine = {"customer_id": customer_id}
        account = BillingAccount.objects.filter(**mine).exclude(status=BillingAccount.Status.ACTIVE)
        if env.wait_until_none(account.count):
            raise RuntimeError("the subscription of the shards' customer was not opened")
        issues = range(1, self.shards * self.issues_each + 1)
        series = [issues[shard :: self.shards] for shard in range(self.shards)]
        requests = [
            [request for issue in each for request in _make_requests(namespace, key, issue)]
            for each in series
        ]
        answers = send_in_sequence(env.stack.url, requests)
        reported_from = time.monotonic()
        reported = UsageReport.objects.filter(**mine, status=UsageReport.Status.REPORTED)
        env.wait_until_none(lambda: len(issues) - reported.count())
        rows = {
            row.issue_number: str(row.pk) for row in UsageRecord.objects.filter(**mine, coverage="metered")
        }
        counted = {event["identifier"][:36] for event in env.stripe.list_meter_events()}
        missing = [
            f"{namespace}#{issue}: {'not at the meter' if issue in rows else 'not in the ledger'}"
            for issue in issues
            if rows.get(issue) not in counted
        ]
        more = {"issues": len(issues), "metered_after_s": round(time.monotonic() - reported_from, 1)}
        return Result(self.name, answers, missing, more=more)

    def _sign_up(self, namespace: str) -> tuple[str, str]:
        output = io.StringIO()
        call_command(
            "provision_customer",
            f"owner@{namespace}.example.com",
            name=namespace,
            namespace=namespace,
            plan="payg",
            payment_method="pm_card_visa",
            json=True,
            stdout=output,
        )
        made = json.loads(output.getvalue())
        return made["customer_id"], made["api_key"]


def _make_requests(namespace: str, key: str, issue: int) -> list[TimedRequest]:
    repo = f"{namespace}/shop"
    proof = {"validated": True, "branchName": f"rsolv/{issue}", "vulnerabilities": [VULNERABILITY]}
    fix = {
        "success": True,
        "testsPass": True,
        "issueNumber": issue,
        "prUrl": f"https://github.com/{repo}/pull/9",
    }
    stored = {"repo": repo, "commitSha": COMMIT, "issueNumber": issue}

    def find_problem(answer: httpx.Response) -> str:
        found = answer.json().get("mitigation", {}).get(f"issue-{issue}")
        return "" if found == fix else "retrieved something else"

    headers = {"X-API-Key": key}
    query = f"repo={repo}&issue={issue}&commit={COMMIT}"
    return [
        TimedRequest("/api/v1/test-integration/analyze", _dump(_make_analyze()), headers),
        TimedRequest("/api/v1/test-integration/generate", _dump(_make_generate(issue)), headers),
        TimedRequest(
            "/api/v1/phases/store", _dump({"phase": "validation", "data": proof, **stored}), headers
        ),
        TimedRequest("/api/v1/entitlement", headers=headers, method="GET"),
        TimedRequest("/api/v1/phases/store", _dump({"phase": "mitigation", "data": fix, **stored}), headers),
        TimedRequest(
            f"/api/v1/phases/retrieve?{query}", headers=headers, method="GET", find_problem=find_problem
        ),
    ]


def _make_analyze() -> dict[str, Any]:
    candidates = [f"test/part{number}/shop.test.ts" for number in range(CANDIDATES)]
    return {"vulnerableFile": "src/shop.ts", "candidateTestFiles": candidates, "framework": "vitest"}


def _make_generate(issue: int) -> dict[str, Any]:
    red = {
        "testName": f"rejects injection {issue}",
        "testCode": f'expect(shop.find("\' OR {issue}=1")).toEqual([])',
        "attackVector": "' OR 1=1",
    }
    return {
        "targetFileContent": TARGET,
        "testSuite": {"redTests": [red]},
        "framework": "vitest",
        "language": "typescript",
    }


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
