"""Staff prove and release namespaces by actions."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import ForgeAccount
from customers.services import claim_namespace
from tests.factories import CustomerFactory, UserFactory

PAGE = "admin:customers_forgeaccount_changelist"


def open_admin(**person: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, **person))
    return client


def act(client: Client, action: str, claim: ForgeAccount) -> ForgeAccount:
    client.post(reverse(PAGE), {"action": action, "_selected_action": [str(claim.pk)]})
    claim.refresh_from_db()
    return claim


@pytest.fixture
def claims(db: None) -> list[ForgeAccount]:
    return [claim_namespace(customer=CustomerFactory(), namespace="acme") for _ in range(2)]


class TestTheActions:
    def test_prove_a_claim_and_end_the_others(self, claims: list[ForgeAccount]) -> None:
        client = open_admin(is_superuser=True)
        assert act(client, "prove", claims[0]).is_proven
        claims[1].refresh_from_db()
        assert not claims[1].is_held
        assert "Proven" in client.get(reverse(PAGE)).text

    def test_release_a_claim_for_another(self, claims: list[ForgeAccount]) -> None:
        client = open_admin(is_superuser=True)
        for _ in range(2):
            act(client, "prove", claims[0])
            assert not act(client, "release", claims[0]).is_held
        assert act(client, "prove", claims[1]).is_proven

    def test_say_why_a_claim_cannot_be_proven(self, claims: list[ForgeAccount]) -> None:
        client = open_admin(is_superuser=True)
        act(client, "prove", claims[0])
        assert not act(client, "prove", claims[1]).is_proven
        assert "belongs to another RSOLV account" in client.get(reverse(PAGE)).text

    @pytest.mark.parametrize("action", ["prove", "release"])
    def test_are_not_for_staff_who_may_only_look(self, claims: list[ForgeAccount], action: str) -> None:
        client = open_admin()
        person = client.get(reverse(PAGE)).wsgi_request.user
        person.user_permissions.add(Permission.objects.get(codename="view_forgeaccount"))
        claim = act(client, action, claims[0])
        assert (claim.is_held, claim.is_proven) == (True, False)
