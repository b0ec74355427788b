from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import ForgeAccount
from customers.services.claim_namespace import claim_namespace
from customers.services.prove_namespace import prove_namespace
from tests.factories import MitigationFactory, RepositoryFactory, make_mitigation_of
from tests.rsolv.portal.test_dashboard import read_rows
from tests.rsolv.portal.test_fixes import open_page
from tests.tenants import Browser

PAGE = "/dashboard/repositories/"
AT = datetime(2026, 1, 7, tzinfo=UTC)


class TestRepositories:
    def test_show_their_results(self, alice: Browser) -> None:
        fix = make_mitigation_of(alice.customer, created_at=AT)
        repository = fix.repository
        for fields in (
            {"outcome": "failed"},
            {"phase": "validation"},
            {"phase": "scan", "commit_sha": "a", "findings": 9, "updated_at": AT},
            {"phase": "scan", "commit_sha": "b", "findings": 4},
        ):
            MitigationFactory(repository=repository, **fields)
        (row,) = read_rows(open_page(alice, PAGE), "Repositories")
        assert row.startswith(repository.full_name)
        assert row.endswith("just now 4 1 1 1")

    def test_link_to_their_fixes(self, alice: Browser) -> None:
        fix = make_mitigation_of(alice.customer)
        links = [a.attrs["href"] for a in open_page(alice, PAGE).find_all("a")]
        assert f"/dashboard/fixes/?repository={fix.repository_id}" in links

    def test_exclude_those_of_another_customer(self, alice: Browser, mallory: Browser) -> None:
        fix = make_mitigation_of(alice.customer)
        assert fix.repository.name not in mallory.get(PAGE).text

    def test_empty_list_explains_what_to_do(self, alice: Browser) -> None:
        assert "appears here after its first scan" in open_page(alice, PAGE).find("main").words

    def test_number_of_queries_is_constant(self, alice: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                open_page(alice, PAGE)
            return len(queries)

        account = make_mitigation_of(alice.customer).repository.forge_account
        for_one = count()
        for _ in range(9):
            MitigationFactory(repository=RepositoryFactory(forge_account=account))
        assert count() == for_one == 7


class TestNamespaces:
    def claim(self, browser: Browser) -> ForgeAccount:
        return claim_namespace(customer=browser.customer, namespace="acme")

    def release(self, browser: Client, claim: ForgeAccount) -> int:
        return browser.post(f"{PAGE}namespaces/{claim.pk}/release/").status_code

    @pytest.mark.parametrize(("is_proven", "word"), [(False, "Provisional"), (True, "Proven")])
    def test_show_whether_they_are_proven(self, alice: Browser, is_proven: bool, word: str) -> None:
        self.claim(alice)
        if is_proven:
            prove_namespace(customer=alice.customer, namespace="acme", at=AT)
        (row,) = read_rows(open_page(alice, PAGE), "GitHub organizations")
        assert row.startswith(f"acme {word}")

    def test_release_is_recorded_in_the_audit_log(self, alice: Browser) -> None:
        claim = self.claim(alice)
        assert self.release(alice, claim) == 302
        claim.refresh_from_db()
        assert not claim.is_held
        assert alice.customer.audit_log_entries.get(action="namespace_released").address == "127.0.0.1"

    def test_cannot_be_released_twice(self, alice: Browser) -> None:
        claim = self.claim(alice)
        assert [self.release(alice, claim) for _ in range(2)] == [302, 404]

    def test_proven_ones_can_be_released_by_staff_only(self, alice: Browser) -> None:
        claim = prove_namespace(customer=alice.customer, namespace="acme", at=AT)
        assert self.release(alice, claim) == 404
        assert "Release it" not in open_page(alice, PAGE).find("main").words

    def test_cannot_be_released_by_a_member(self, alice: Browser, bob: Browser) -> None:
        assert self.release(bob, self.claim(alice)) == 403
        assert "Release it" not in open_page(bob, PAGE).find("main").words
