"""Fixtures for billing's pages: browsers of a customer's members, with the sandbox Stripe."""

import json
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from billing.services.metering.record_usage import record_usage
from customers.models import Customer
from phases.models import PhaseExecution
from tests.billing.billing_env import BillingEnv
from tests.factories import make_mitigation_of
from tests.rsolv.portal.markup import Page, read_page
from tests.tenants import Browser

RED = {
    "validated": True,
    "redTests": [
        {
            "testName": "test_search_binds",
            "testCode": 'def test_search_binds():\n    assert search("\'") == []',
            "attackVector": "' OR 1=1 --",
        }
    ],
    "testResults": {"total": 5, "passed": 4, "failed": 1},
    "testExecutionResult": {
        "passed": False,
        "output": "assert [1] == []",
        "testFile": "tests/test_search.py",
    },
    "vulnerabilities": [{"type": "sql_injection", "file": "app/search.py", "line": 12}],
}
GREEN = {
    "success": True,
    "testsPass": True,
    "testResults": {"total": 5, "passed": 5, "failed": 0},
    "fixCommit": "c0ffee",
}


def open_page(browser: Browser, path: str, *, status: int = 200) -> Page:
    response = browser.get(path)
    assert response.status_code == status, response.text
    return read_page(response.text)


def make_fix(billing_env: BillingEnv, customer: Customer, **fields: Any) -> PhaseExecution:
    """Create a fix with a proof, recorded and reported to the meter."""
    execution = make_mitigation_of(customer, data=json.dumps(GREEN), **fields)
    PhaseExecution.objects.create(
        customer=customer,
        repository=execution.repository,
        issue_number=execution.issue_number,
        phase="validation",
        outcome="succeeded",
        commit_sha="c",
        data=json.dumps(RED),
        created_at=execution.created_at,
        updated_at=execution.created_at,
    )
    with billing_env.run_tasks():
        record_usage(customer=customer, execution=execution, occurred_at=execution.created_at)
    return execution


def count_queries(browser: Browser, path: str) -> int:
    from django.db import connection

    with CaptureQueriesContext(connection) as queries:
        assert browser.get(path).status_code == 200
    return len(queries)


@pytest.fixture
def paying(alice: Browser, billing_env: BillingEnv) -> Browser:
    """Alice, on teams."""
    billing_env.subscribe("teams", customer=alice.customer)
    billing_env.deliver()
    return alice
