"""The hot paths that are measured as the tables grow: each of the largest customer, or of an ordinary one."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.test import Client

from billing import selectors, services
from core.metrics.collectors import COLLECTORS
from phases.models import PhaseExecution

from .rows import Caller, Staged

Path = Callable[[int], object]
HOST = "127.0.0.1"
API = "/api/v1"


def make_paths(staged: Staged, at: datetime) -> dict[str, Path]:
    ordinary = staged.callers[0]
    return {
        "phases/store": _store(ordinary),
        "phases/store, largest": _store(staged.large),
        "phases/retrieve, largest": _retrieve(staged.large),
        "entitlement": _ask(ordinary),
        "entitlement, largest": _ask(staged.large),
        "entitlement/claim, largest": _claim(staged.large),
        "dashboard, largest": _open(staged, "/dashboard/"),
        "fixes, largest": _open(staged, "/dashboard/fixes/"),
        "sweep_billing": lambda _: services.sweep_billing(),
        "reconcile's ledger, ordinary": lambda _: _read_ledger(ordinary, at),
        "reconcile's ledger, largest": lambda _: _read_ledger(staged.large, at),
        "gauges of /metrics": lambda _: _read_gauges(),
    }


def _store(caller: Caller) -> Path:
    def store(number: int) -> None:
        sent = {
            "phase": "mitigation",
            "repo": caller.repository,
            "commitSha": "c0ffee",
            "issueNumber": 10**9 + number,
            "data": {"success": True, "testsPass": True},
        }
        _call(caller, "POST", "/phases/store", sent)

    return store


def _retrieve(caller: Caller) -> Path:
    namespace, name = caller.repository.split("/")
    known = PhaseExecution.objects.filter(
        repository__name=name, repository__forge_account__namespace=namespace, phase="mitigation"
    ).first()
    issue, commit = (known.issue_number, known.commit_sha) if known else (1, "c0ffee")
    return lambda _: _call(
        caller, "GET", f"/phases/retrieve?repo={caller.repository}&issue={issue}&commit={commit}"
    )


def _ask(caller: Caller) -> Path:
    return lambda _: _call(caller, "GET", "/entitlement")


def _claim(caller: Caller) -> Path:
    return lambda number: _call(
        caller, "POST", "/entitlement/claim", {"repo": caller.repository, "issueNumber": 10**9 + number}
    )


def _call(caller: Caller, method: str, path: str, sent: object = None) -> None:
    answer = Client(HTTP_HOST=HOST).generic(
        method,
        f"{API}{path}",
        data=json.dumps(sent) if sent else "",
        content_type="application/json",
        headers={"X-API-Key": caller.key},
    )
    assert answer.status_code in (200, 201), answer.content


def _open(staged: Staged, address: str) -> Path:
    browser = Client(HTTP_HOST=HOST)
    browser.force_login(staged.user)

    def open_page(_: int) -> None:
        answer = browser.get(address)
        assert answer.status_code == 200, answer.content

    return open_page


def _read_ledger(caller: Caller, at: datetime) -> None:
    """What reconciliation reads of one account; what it asks of Stripe does not grow with our tables."""
    selectors.get_entitlement(customer=caller.customer, at=at)
    selectors.list_ledger(customer_ids=[caller.customer.pk], since=at - timedelta(days=63))


def _read_gauges() -> None:
    cache.clear()
    for reading in COLLECTORS.values():
        if reading.service == "database":
            list(reading.read())
