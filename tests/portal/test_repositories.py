from datetime import UTC, datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import MitigationFactory, RepositoryFactory, make_mitigation_of

from .conftest import Browser
from .test_dashboard import read_rows
from .test_fixes import open_page

PAGE = "/dashboard/repositories/"
AT = datetime(2026, 1, 7, tzinfo=UTC)


class TestRepositories:
    def test_have_what_came_of_them(self, bob: Browser) -> None:
        fix = make_mitigation_of(bob.customer, created_at=AT)
        repository = fix.repository
        for fields in (
            {"outcome": "failed"},
            {"phase": "validation"},
            {"phase": "scan", "commit_sha": "a", "findings": 9, "updated_at": AT},
            {"phase": "scan", "commit_sha": "b", "findings": 4},
        ):
            MitigationFactory(repository=repository, **fields)
        (row,) = read_rows(open_page(bob, PAGE), "Repositories")
        assert row.startswith(repository.full_name)
        assert row.endswith("just now 4 1 1 1")

    def test_lead_to_their_fixes(self, bob: Browser) -> None:
        fix = make_mitigation_of(bob.customer)
        links = [a.attrs["href"] for a in open_page(bob, PAGE).find_all("a")]
        assert f"/dashboard/fixes/?repository={fix.repository_id}" in links

    def test_are_the_own_ones_only(self, bob: Browser, mallet: Browser) -> None:
        fix = make_mitigation_of(bob.customer)
        assert fix.repository.name not in mallet.get(PAGE).text

    def test_say_what_to_do_where_there_are_none(self, bob: Browser) -> None:
        assert "appears here with its first scan" in open_page(bob, PAGE).find("main").words

    def test_queries_are_as_many_for_ten_as_for_one(self, bob: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                open_page(bob, PAGE)
            return len(queries)

        account = make_mitigation_of(bob.customer).repository.forge_account
        for_one = count()
        for _ in range(9):
            MitigationFactory(repository=RepositoryFactory(forge_account=account))
        assert count() == for_one == 6
