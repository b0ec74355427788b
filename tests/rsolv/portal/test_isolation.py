"""Every route of the URL configuration, requested with ids of another tenant."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from customers.models import ApiKey, ForgeAccount, Invitation, Membership
from customers.services.manage_keys import create_api_key
from customers.services.prove_namespace import prove_namespace
from phases.models import PhaseExecution
from tests.conftest import ApiClient
from tests.factories import UsageRecordFactory, make_mitigation_of
from tests.rsolv.portal.test_dashboard import make_invoice
from tests.tenants import Browser

# Routes without tenant data: the staff site, and routes protected by a secret of their own.
ELSEWHERE = (
    "staff/",
    "accounts/password/reset/key/",
    "invitations/<str:token>/",
    "onboarding/<str:token>/",
    "api/<path:rest>",
)
MARKS = ("acme-secret", "ACME-1")
REPO = "acme-secret/shop"


def list_routes() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return every route as (pattern, name, names of its arguments)."""

    def walk(
        resolver: Any, prefix: str, taken: tuple[str, ...]
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for entry in resolver.url_patterns:
            pattern, arguments = prefix + str(entry.pattern), (*taken, *entry.pattern.converters)
            if isinstance(entry, URLResolver):
                yield from walk(entry, pattern, arguments)
            elif not pattern.startswith(ELSEWHERE) and "^" not in pattern:
                yield pattern, entry.name or "", arguments

    return sorted(set(walk(get_resolver(), "", ())))


ROUTES = list_routes()
PAGES = [route for route in ROUTES if not route[0].startswith("api/")]
WITH_IDS = [(name, arguments) for _, name, arguments in PAGES if arguments]
WITHOUT_IDS = sorted({name for _, name, arguments in PAGES if not arguments and name})
API = [name for pattern, name, _ in ROUTES if pattern.startswith("api/v1/")]


@pytest.fixture
def owned(alice: Browser, bob: Browser) -> dict[str, dict[str, Any]]:
    """The ids of Acme's objects, by the route that takes them."""
    execution = make_mitigation_of(alice.customer)
    account = execution.repository.forge_account
    account.namespace = "acme-secret"
    account.save()
    usage = UsageRecordFactory(execution=execution)
    key = create_api_key(customer=alice.customer, name="acme-secret key").api_key
    invitation = Invitation.objects.create(
        customer=alice.customer, email="x@acme-secret.test", token_hash="0" * 64, expires_at=timezone.now()
    )
    make_invoice(alice.customer, number="ACME-1")
    member = bob.membership
    passkey = Authenticator.objects.create(user=member.user, type="webauthn", data={"name": "acme-secret"})
    team, invited = {"pk": member.pk}, {"pk": invitation.pk}
    return {
        "fix": {"execution_id": execution.pk},
        "namespace-release": {"claim_id": account.pk},
        "key-rotate": {"key_id": key.pk},
        "key-revoke": {"key_id": key.pk},
        "team-role": team,
        "team-remove": team,
        "team-transfer": team,
        "invitation-resend": invited,
        "invitation-revoke": invited,
        "billing-invoice": {"reference": "ACME-1"},
        "billing-fix": {"usage_id": usage.pk},
        "mfa_remove_webauthn": {"pk": passkey.pk},
        "mfa_edit_webauthn": {"pk": passkey.pk},
    }


def snapshot() -> list[list[Any]]:
    models = (ApiKey, Invitation, Membership, PhaseExecution, Authenticator, ForgeAccount)
    return [list(model.objects.order_by("pk").values()) for model in models]


class TestPageWithId:
    @pytest.mark.parametrize(("name", "arguments"), WITH_IDS)
    def test_of_another_tenant_is_not_found(
        self,
        mallory: Browser,
        owned: dict[str, Any],
        name: str,
        arguments: tuple[str, ...],
    ) -> None:
        assert name in owned, f"{name}: add the tenant's object of this route to `owned`"
        assert set(owned[name]) == set(arguments)
        address, before = reverse(name, kwargs=owned[name]), snapshot()
        form = {"role": "owner", "overlap": "0", "password": "x", "name": "x"}
        answers = [mallory.get(address), mallory.post(address, form)]
        assert {answer.status_code for answer in answers} <= {404, 405}
        assert answers[1].status_code == 404 or answers[0].status_code == 404
        assert snapshot() == before

    @pytest.mark.parametrize(("name", "arguments"), WITH_IDS)
    def test_redirects_anonymous_users_to_login(
        self, client: Client, owned: dict[str, Any], name: str, arguments: tuple[str, ...]
    ) -> None:
        before = snapshot()
        for ask in (client.get, client.post):
            answer = ask(reverse(name, kwargs=owned[name]))
            assert answer.status_code in (302, 404, 405)
            if answer.status_code == 302:
                assert "/accounts/login/" in answer.headers["Location"]
        assert snapshot() == before


class TestPageWithoutId:
    @pytest.mark.parametrize("name", WITHOUT_IDS)
    def test_excludes_data_of_another_tenant(
        self,
        mallory: Browser,
        owned: dict[str, Any],
        name: str,
    ) -> None:
        answer = mallory.get(reverse(name))
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code < 500
        assert not [mark for mark in MARKS if mark.encode() in content]

    def test_marks_are_visible_to_the_owner(self, alice: Browser, owned: dict[str, Any]) -> None:
        pages = "".join(
            alice.get(reverse(name)).text for name in ("keys", "team", "fixes", "billing-invoices")
        )
        assert all(mark in pages for mark in MARKS)


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "phases-store": (
        "post",
        {
            "phase": "scan",
            "repo": REPO,
            "commitSha": "c0ffee",
            "branch": "main",
            "data": {"vulnerabilities": []},
        },
    ),
    "phases-retrieve": ("get", {"repo": REPO, "issue": 1, "commit": "c0ffee"}),
    "entitlement-claim": ("post", {"repo": REPO, "issueNumber": 1}),
}
# These read no stored data.
STATELESS = {"analyze", "generate", "naming", "framework-detect", "entitlement", "onboard"}


class TestApi:
    @pytest.mark.parametrize("name", API)
    def test_neither_reads_nor_changes_another_tenants_repository(
        self, mallory_api: ApiClient, owned: dict[str, Any], name: str
    ) -> None:
        if name in STATELESS:
            return
        assert name in REQUESTS, f"{name}: add a request for another tenant's repository to `REQUESTS`"
        verb, body = REQUESTS[name]
        before = snapshot()[3]
        answer = getattr(mallory_api, verb)(reverse(name), body)
        assert answer.status_code in (200, 201), answer.content
        assert MARKS[0] not in answer.text
        assert [row for row in snapshot()[3] if row["customer_id"] != mallory_api.customer.pk] == before

    @pytest.mark.parametrize("name", sorted(set(REQUESTS) - {"phases-retrieve"}))
    def test_rejects_writes_to_a_namespace_proven_by_another_tenant(
        self, mallory_api: ApiClient, alice: Browser, owned: dict[str, Any], name: str
    ) -> None:
        prove_namespace(customer=alice.customer, namespace="acme-secret", at=timezone.now())
        verb, body = REQUESTS[name]
        before = snapshot()[3]
        assert getattr(mallory_api, verb)(reverse(name), body).status_code == 403
        assert snapshot()[3] == before

    def test_covers_every_route(self) -> None:
        assert set(API) == STATELESS | set(REQUESTS)


class TestRoutes:
    def test_are_not_empty_by_mistake(self) -> None:
        assert len(WITH_IDS) >= 12
        assert len(WITHOUT_IDS) >= 30
