from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import ApiKey, AuditLogEntry, Membership
from customers.services.manage_keys import create_api_key
from tests.conftest import ApiClient
from tests.factories import MembershipFactory
from tests.rsolv.portal.conftest import Browser, open_browser
from tests.rsolv.portal.markup import read_page

PAGE = "/dashboard/keys/"


def make(alice: Browser, name: str = "CI") -> tuple[ApiKey, str]:
    made = create_api_key(customer=alice.customer, name=name)
    return made.api_key, made.raw


def read_new_key(alice: Browser) -> str | None:
    shown = read_page(alice.get(PAGE).text).get("new-api-key")
    return shown.text if shown else None


def works(raw: str | None) -> bool:
    return raw is not None and ApiClient(raw).get("/api/v1/entitlement").status_code == 200


class TestMake:
    def test_shows_the_key_once_and_it_works(self, alice: Browser) -> None:
        assert alice.post(PAGE, {"name": "CI", "expires_in": "30"}).headers["Location"] == PAGE
        raw = read_new_key(alice)
        assert works(raw)
        assert read_new_key(alice) is None
        expires_at = ApiKey.objects.get().expires_at
        assert expires_at is not None
        assert timedelta(days=29) < expires_at - timezone.now() < timedelta(days=31)

    def test_stands_in_the_audit_log(self, alice: Browser) -> None:
        alice.post(PAGE, {"name": "CI"})
        entry = AuditLogEntry.objects.get(action="key_made")
        assert (entry.customer, entry.address) == (alice.customer, "127.0.0.1")
        assert entry.subject.startswith("CI (rsolv_")

    def test_wants_a_name(self, alice: Browser) -> None:
        assert alice.post(PAGE, {"name": ""}).status_code == 422
        assert not ApiKey.objects.exists()

    def test_has_a_bound(self, alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("customers.services.manage_keys.MOST_ACTIVE_KEYS", 1)
        make(alice)
        assert "Revoke one" in alice.post(PAGE, {"name": "CI"}).text


class TestRotate:
    @pytest.mark.parametrize(("overlap", "old_works"), [("0", False), ("1", True), ("168", True)])
    def test_the_new_key_works_and_the_old_one_for_the_overlap(
        self, alice: Browser, overlap: str, old_works: bool
    ) -> None:
        old, raw = make(alice)
        alice.post(f"{PAGE}{old.pk}/rotate/", {"overlap": overlap})
        new = read_new_key(alice)
        assert works(new)
        assert works(raw) is old_works
        old.refresh_from_db()
        assert old.replaced_by is not None
        assert AuditLogEntry.objects.filter(action="key_rotated").count() == 1

    def test_a_key_is_exchanged_once(self, alice: Browser) -> None:
        old, _ = make(alice)
        for _ in range(2):
            alice.post(f"{PAGE}{old.pk}/rotate/", {"overlap": "24"})
        assert ApiKey.objects.count() == 2

    def test_never_lets_a_key_live_longer_than_it_would(self, alice: Browser) -> None:
        soon = timezone.now() + timedelta(minutes=5)
        key = create_api_key(customer=alice.customer, name="CI", expires_at=soon).api_key
        alice.post(f"{PAGE}{key.pk}/rotate/", {"overlap": "168"})
        key.refresh_from_db()
        assert key.expires_at == soon

    def test_an_overlap_that_is_none_changes_nothing(self, alice: Browser) -> None:
        old, _ = make(alice)
        alice.post(f"{PAGE}{old.pk}/rotate/", {"overlap": "9999"})
        assert ApiKey.objects.count() == 1


class TestRevoke:
    def test_the_next_request_is_refused(self, alice: Browser) -> None:
        key, raw = make(alice)
        assert works(raw)
        alice.post(f"{PAGE}{key.pk}/revoke/")
        assert not works(raw)
        assert AuditLogEntry.objects.filter(action="key_revoked").count() == 1

    def test_says_what_stops_working(self, alice: Browser) -> None:
        _, raw = make(alice)
        assert "nothing stops working" in alice.get(PAGE).text
        works(raw)
        page = alice.get(PAGE).text
        assert "Every workflow that sends CI stops at once" in " ".join(page.split())
        assert "127.0.0.1" in page


class TestAccess:
    @pytest.mark.parametrize("action", ["rotate", "revoke"])
    def test_of_another_tenant_s_key_nothing_is_known(
        self, alice: Browser, mallory: Browser, action: str
    ) -> None:
        key, raw = make(alice)
        assert mallory.post(f"{PAGE}{key.pk}/{action}/", {"overlap": "0"}).status_code == 404
        assert key.prefix not in mallory.get(PAGE).text
        assert works(raw)

    @pytest.mark.parametrize("role", ["member", "billing"])
    def test_who_does_not_manage_sees_and_changes_nothing(self, db: None, role: str) -> None:
        alice = open_browser("Acme")
        key, raw = make(alice)
        Membership.objects.update(role=role)
        assert key.prefix in alice.get(PAGE).text
        for path in (PAGE, f"{PAGE}{key.pk}/rotate/", f"{PAGE}{key.pk}/revoke/"):
            assert alice.post(path, {"name": "x", "overlap": "0"}).status_code == 403
        assert works(raw)
        assert ApiKey.objects.count() == 1

    def test_strangers_log_in_first(self, client: Browser, db: None) -> None:
        assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")

    def test_those_that_work_come_first_however_many_newer_ones_are_over(
        self, alice: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(alice, "old and good")
        over = [make(alice, f"over {number}")[0].pk for number in range(3)]
        ApiKey.objects.filter(pk__in=over).update(revoked_at=timezone.now())
        monkeypatch.setattr("rsolv.portal.keys.KEYS_SHOWN", 2)
        assert "old and good" in alice.get(PAGE).text
        assert "over 0" not in alice.get(PAGE).text
        assert "over 0" in alice.get(f"{PAGE}?page=2").text

    def test_no_working_key_is_cut_off(self, alice: Browser) -> None:
        make(alice, "old and good")
        now = timezone.now()
        ApiKey.objects.bulk_create(
            ApiKey(
                customer=alice.customer, name=f"over {n}", prefix="rsolv_x", key_hash=str(n), revoked_at=now
            )
            for n in range(201)
        )
        assert "old and good" in alice.get(PAGE).text

    def test_queries_are_as_many_for_ten_as_for_one(self, alice: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                alice.get(PAGE)
            return len(queries)

        make(alice)
        for_one = count()
        for _ in range(9):
            create_api_key(customer=alice.customer, name="x", created_by=MembershipFactory().user)
        assert count() == for_one
