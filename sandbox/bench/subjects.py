"""The requests that are measured, by name, for customers that `rows` has staged."""

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

from .client import Subject, build_request
from .rows import Caller, Staged

WEBHOOK_SECRET = "whsec_bench"  # noqa: S105 - of no endpoint
FRAMEWORK = "pytest"
FOLDERS = ("users", "orders", "carts", "payments", "admin", "reports")
WORDS = ("controller", "service", "model", "serializer", "policy", "job", "helper", "validator")
API = "/api/v1"


def make_subjects(staged: Staged) -> dict[str, Subject]:
    callers = staged.callers
    return {
        each.name: each
        for each in (
            _authenticate("cached", "", X_API_Key=staged.large.key),
            _authenticate("uncached", "", X_API_Key=staged.large.key),
            _authenticate("library", "/library", X_Library_Key=make_library_key()),
            _analyze(callers, 10),
            _analyze(callers, 200),
            _generate(callers, 300),
            _generate(callers, 10_000),
            _store(callers),
            _ask_entitlement(callers),
            _deliver_webhook(),
            _open_overview(staged),
        )
    }


def make_library_key() -> str:
    _, key = APIKey.objects.create_key(name="bench")
    return str(key)


def _authenticate(name: str, path: str, **headers: str) -> Subject:
    request = build_request("GET", f"/bench/authenticate{path}", b"", **headers)
    return Subject(f"authenticate_{name}", lambda _: request, b'"ok":true')


def _analyze(callers: Sequence[Caller], candidates: int) -> Subject:
    tests = [
        f"tests/{FOLDERS[n % 6]}/test_{FOLDERS[n // 6 % 6]}_{WORDS[n % 8]}_{n}.py" for n in range(candidates)
    ]
    sent = {
        "vulnerableFile": "app/users/users_controller.py",
        "candidateTestFiles": tests,
        "framework": FRAMEWORK,
        "vulnerabilityType": "sql_injection",
    }
    make = _post_by_turns(callers, f"{API}/test-integration/analyze", sent)
    return Subject(f"analyze_{candidates}", make, b'"recommendations":[{"path":"tests/')


def _generate(callers: Sequence[Caller], lines: int) -> Subject:
    sent = build_insertion(FRAMEWORK, lines)
    return Subject(
        f"generate_{lines}",
        _post_by_turns(callers, f"{API}/test-integration/generate", sent),
        b'"method":"ast"',
    )


def _post_by_turns(callers: Sequence[Caller], path: str, sent: dict[str, Any]) -> Callable[[int], bytes]:
    body = json.dumps(sent).encode()
    requests = [build_request("POST", path, body, X_API_Key=each.key) for each in callers]
    return lambda n: requests[n % len(requests)]


def _store(callers: Sequence[Caller]) -> Subject:
    """A fix that succeeded, each of another issue: the way with the ledger, its report and its task."""
    data = {
        "success": True,
        "prUrl": "https://github.com/bench/shop/pull/7",
        "prCreated": True,
        "testsPass": True,
        "attempts": 2,
        "refactored": "x" * 1000,
    }

    def make(n: int) -> bytes:
        caller = callers[n % len(callers)]
        sent = {"phase": "mitigation", "repo": caller.repository, "commitSha": f"{n:040x}", "data": data}
        body = json.dumps(sent | {"issueNumber": 10**9 + n}).encode()
        return build_request("POST", f"{API}/phases/store", body, X_API_Key=caller.key)

    return Subject("phases_store", make, b'"success":true')


def _ask_entitlement(callers: Sequence[Caller]) -> Subject:
    requests = [build_request("GET", f"{API}/entitlement", X_API_Key=each.key) for each in callers]
    return Subject("entitlement", lambda n: requests[n % len(requests)], b'"canUseService":true')


def _deliver_webhook() -> Subject:
    """A signed event of about Stripe's size, each with an id of its own."""
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

    return Subject("webhook_ack", make, b'"status": "success"')


def _open_overview(staged: Staged) -> Subject:
    """The portal's first page, for the owner of the largest customer."""
    browser = Browser()
    browser.force_login(staged.user)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    request = build_request("GET", "/dashboard/", Cookie=f"{settings.SESSION_COOKIE_NAME}={session}")
    return Subject("portal_overview", lambda _: request, staged.large.customer.name.encode())
