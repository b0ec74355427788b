"""The hot paths that are measured as tables grow, for the largest customer or for an ordinary one."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.test import Client

from billing.selectors.entitlements import get_entitlement
from billing.selectors.ledger import list_ledger
from billing.services.sweep_billing import sweep_billing
from core.metrics.collectors import COLLECTORS
from phases.models import PhaseExecution

from .rows import ApiClient, Seeded

Path = Callable[[int], object]
HOST = "127.0.0.1"
API = "/api/v1"


def make_paths(seeded: Seeded, at: datetime) -> dict[str, Path]:
    """Return the paths by name. Each is a function that gets a new number per call."""
    ordinary = seeded.api_clients[0]
    return {
        "phases/store": _store(ordinary),
        "phases/store, largest": _store(seeded.large),
        "phases/retrieve, largest": _retrieve(seeded.large),
        "entitlement": _get_entitlement(ordinary),
        "entitlement, largest": _get_entitlement(seeded.large),
        "entitlement/claim, largest": _claim(seeded.large),
        "dashboard, largest": _open(seeded, "/dashboard/"),
        "fixes, largest": _open(seeded, "/dashboard/fixes/"),
        "sweep_billing": lambda _: sweep_billing(),
        "reconcile's ledger, ordinary": lambda _: _read_ledger(ordinary, at),
        "reconcile's ledger, largest": lambda _: _read_ledger(seeded.large, at),
        "gauges of /metrics": lambda _: _read_gauges(),
    }


def _store(api_client: ApiClient) -> Path:
    def store(number: int) -> None:
        sent = {
            "phase": "mitigation",
            "repo": api_client.repository,
            "commitSha": "c0ffee",
            "issueNumber": 10**9 + number,
            "data": {"success": True, "testsPass": True},
        }
        _call(api_client, "POST", "/phases/store", sent)

    return store


def _retrieve(api_client: ApiClient) -> Path:
    namespace, name = api_client.repository.split("/")
    known = PhaseExecution.objects.filter(
        repository__name=name, repository__forge_account__namespace=namespace, phase="mitigation"
    ).first()
    issue, commit = (known.issue_number, known.commit_sha) if known else (1, "c0ffee")
    return lambda _: _call(
        api_client, "GET", f"/phases/retrieve?repo={api_client.repository}&issue={issue}&commit={commit}"
    )


def _get_entitlement(api_client: ApiClient) -> Path:
    return lambda _: _call(api_client, "GET", "/entitlement")


def _claim(api_client: ApiClient) -> Path:
    return lambda number: _call(
        api_client,
        "POST",
        "/entitlement/claim",
        {"repo": api_client.repository, "issueNumber": 10**9 + number},
    )


def _call(api_client: ApiClient, method: str, path: str, sent: object = None) -> None:
    answer = Client(HTTP_HOST=HOST).generic(
        method,
        f"{API}{path}",
        data=json.dumps(sent) if sent else "",
        content_type="application/json",
        headers={"X-API-Key": api_client.key},
    )
    assert answer.status_code in (200, 201), answer.content


def _open(seeded: Seeded, address: str) -> Path:
    browser = Client(HTTP_HOST=HOST)
    browser.force_login(seeded.user)

    def open_page(_: int) -> None:
        answer = browser.get(address)
        assert answer.status_code == 200, answer.content

    return open_page


def _read_ledger(api_client: ApiClient, at: datetime) -> None:
    """Read what reconciliation reads for one account. Its calls to Stripe do not grow with our tables."""
    get_entitlement(customer=api_client.customer, at=at)
    list_ledger(customer_ids=[api_client.customer.pk], since=at - timedelta(days=63))


def _read_gauges() -> None:
    cache.clear()  # no cached value may hide a query
    for reading in COLLECTORS.values():
        if reading.service == "database":
            list(reading.read())
