"""The requests that are measured, by name, sent as the customers that `rows` has seeded."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.test import Client as Browser
from djstripe.models import WebhookEndpoint
from rest_framework_api_key.models import APIKey

from phases.test_integration.measure.bench import request_body as build_insertion

from .client import Case, build_request
from .rows import ApiClient, Seeded

WEBHOOK_SECRET = "whsec_bench"  # noqa: S105 - used by the benchmark only
FRAMEWORK = "pytest"
FOLDERS = ("users", "orders", "carts", "payments", "admin", "reports")
WORDS = ("controller", "service", "model", "serializer", "policy", "job", "helper", "validator")
API = "/api/v1"


def make_cases(seeded: Seeded) -> dict[str, Case]:
    """Return all cases by name. Creates the API key and the webhook endpoint that some need."""
    api_clients = seeded.api_clients
    return {
        each.name: each
        for each in (
            _authenticate("cached", "", X_API_Key=seeded.large.key),
            _authenticate("uncached", "", X_API_Key=seeded.large.key),
            _authenticate("library", "/library", X_Library_Key=make_library_key()),
            _analyze(api_clients, 10),
            _analyze(api_clients, 200),
            _generate(api_clients, 300),
            _generate(api_clients, 10_000),
            _store(api_clients),
            _get_entitlement(api_clients),
            _deliver_webhook(),
            _open_overview(seeded),
        )
    }


def make_library_key() -> str:
    _, key = APIKey.objects.create_key(name="bench")
    return str(key)


def _authenticate(name: str, path: str, **headers: str) -> Case:
    request = build_request("GET", f"/bench/authenticate{path}", b"", **headers)
    return Case(f"authenticate_{name}", lambda _: request, b'"ok":true')


def _analyze(api_clients: Sequence[ApiClient], candidates: int) -> Case:
    tests = [
        f"tests/{FOLDERS[n % 6]}/test_{FOLDERS[n // 6 % 6]}_{WORDS[n % 8]}_{n}.py" for n in range(candidates)
    ]
    sent = {
        "vulnerableFile": "app/users/users_controller.py",
        "candidateTestFiles": tests,
        "framework": FRAMEWORK,
        "vulnerabilityType": "sql_injection",
    }
    make = _post_in_turn(api_clients, f"{API}/test-integration/analyze", sent)
    return Case(f"analyze_{candidates}", make, b'"recommendations":[{"path":"tests/')


def _generate(api_clients: Sequence[ApiClient], lines: int) -> Case:
    sent = build_insertion(FRAMEWORK, lines)
    return Case(
        f"generate_{lines}",
        _post_in_turn(api_clients, f"{API}/test-integration/generate", sent),
        b'"method":"ast"',
    )


def _post_in_turn(
    api_clients: Sequence[ApiClient], path: str, sent: dict[str, Any]
) -> Callable[[int], bytes]:
    body = json.dumps(sent).encode()
    requests = [build_request("POST", path, body, X_API_Key=each.key) for each in api_clients]
    return lambda n: requests[n % len(requests)]


def _store(api_clients: Sequence[ApiClient]) -> Case:
    """Store a successful fix of a new issue each time: with its ledger row, and its report enqueued."""
    data = {
        "success": True,
        "prUrl": "https://github.com/bench/shop/pull/7",
        "prCreated": True,
        "testsPass": True,
        "attempts": 2,
        "refactored": "x" * 1000,
    }

    def make(n: int) -> bytes:
        api_client = api_clients[n % len(api_clients)]
        sent = {"phase": "mitigation", "repo": api_client.repository, "commitSha": f"{n:040x}", "data": data}
        # Issue numbers beyond the seeded ones, so that every request stores a new fix.
        body = json.dumps(sent | {"issueNumber": 10**9 + n}).encode()
        return build_request("POST", f"{API}/phases/store", body, X_API_Key=api_client.key)

    return Case("phases_store", make, b'"success":true')


def _get_entitlement(api_clients: Sequence[ApiClient]) -> Case:
    requests = [build_request("GET", f"{API}/entitlement", X_API_Key=each.key) for each in api_clients]
    return Case("entitlement", lambda n: requests[n % len(requests)], b'"canUseService":true')


def _deliver_webhook() -> Case:
    """Deliver a signed event of a typical size, with a new id each time."""
    WebhookEndpoint.objects.create(
        id="we_bench",
        url="https://bench.example/api/webhooks/stripe",
        secret=WEBHOOK_SECRET,
        enabled_events=["*"],
        status="enabled",
        livemode=False,
    )
    invoice = {"id": "in_bench", "object": "invoice", "customer": "cus_bench", "description": "x" * 3000}

    def make(n: int) -> bytes:
        event = {
            "id": f"evt_bench_{n}",
            "object": "event",
            "type": "invoice.paid",
            "data": {"object": invoice},
        }
        body, at = json.dumps(event).encode(), int(time.time())
        digest = hmac.new(WEBHOOK_SECRET.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
        return build_request("POST", "/api/webhooks/stripe", body, Stripe_Signature=f"t={at},v1={digest}")

    return Case("webhook_ack", make, b'"status": "success"')


def _open_overview(seeded: Seeded) -> Case:
    """Open the portal's overview as the owner of the largest customer."""
    browser = Browser()
    browser.force_login(seeded.user)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    request = build_request("GET", "/dashboard/", Cookie=f"{settings.SESSION_COOKIE_NAME}={session}")
    return Case("portal_overview", lambda _: request, seeded.large.customer.name.encode())
