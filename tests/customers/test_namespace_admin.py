"""Admin actions that prove and release namespaces."""

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import ForgeAccount
from customers.services.claim_namespace import claim_namespace
from tests.factories import CustomerFactory
from tests.staff import StaffBrowser

PAGE = "admin:customers_forgeaccount_changelist"


def run_action(client: Client, action: str, claim: ForgeAccount) -> ForgeAccount:
    client.post(reverse(PAGE), {"action": action, "_selected_action": [str(claim.pk)]})
    claim.refresh_from_db()
    return claim


@pytest.fixture
def claims(db: None) -> list[ForgeAccount]:
    return [claim_namespace(customer=CustomerFactory(), namespace="acme") for _ in range(2)]


class TestActions:
    def test_prove_a_claim_and_release_the_others(
        self, staff: StaffBrowser, claims: list[ForgeAccount]
    ) -> None:
        assert run_action(staff, "prove", claims[0]).is_proven
        claims[1].refresh_from_db()
        assert not claims[1].is_held
        assert "Proven" in staff.get(reverse(PAGE)).text

    def test_release_a_claim_so_that_another_can_be_proven(
        self, staff: StaffBrowser, claims: list[ForgeAccount]
    ) -> None:
        for _ in range(2):
            run_action(staff, "prove", claims[0])
            assert not run_action(staff, "release", claims[0]).is_held
        assert run_action(staff, "prove", claims[1]).is_proven

    def test_report_why_a_claim_cannot_be_proven(
        self, staff: StaffBrowser, claims: list[ForgeAccount]
    ) -> None:
        run_action(staff, "prove", claims[0])
        assert not run_action(staff, "prove", claims[1]).is_proven
        assert "belongs to another RSOLV account" in staff.get(reverse(PAGE)).text

    @pytest.mark.parametrize("action", ["prove", "release"])
    def test_are_denied_to_staff_with_view_permission_only(
        self, onlooker: StaffBrowser, claims: list[ForgeAccount], action: str
    ) -> None:
        claim = run_action(onlooker, action, claims[0])
        assert claim.is_held and not claim.is_proven
