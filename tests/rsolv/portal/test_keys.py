from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import ApiKey, AuditLogEntry
from customers.services.manage_keys import create_api_key, revoke_api_key
from tests.conftest import ApiClient
from tests.factories import MembershipFactory
from tests.rsolv.portal.markup import read_page
from tests.tenants import Browser, set_role

PAGE = "/dashboard/keys/"


def make(alice: Browser, name: str = "CI") -> tuple[ApiKey, str]:
    made = create_api_key(customer=alice.customer, name=name)
    return made.api_key, made.raw


def read_new_key(alice: Browser) -> str | None:
    shown = read_page(alice.get(PAGE).text).get("new-api-key")
    return shown.text if shown else None


def works(raw: str | None) -> bool:
    return raw is not None and ApiClient(raw).get("/api/v1/entitlement").status_code == 200


class TestCreate:
    def test_shows_the_key_once_and_it_works(self, alice: Browser) -> None:
        assert alice.post(PAGE, {"name": "CI", "expires_in": "30"}).headers["Location"] == PAGE
        raw = read_new_key(alice)
        assert works(raw)
        assert read_new_key(alice) is None
        expires_at = ApiKey.objects.get().expires_at
        assert expires_at is not None
        assert timedelta(days=29) < expires_at - timezone.now() < timedelta(days=31)

    def test_is_recorded_in_the_audit_log(self, alice: Browser) -> None:
        alice.post(PAGE, {"name": "CI"})
        entry = AuditLogEntry.objects.get(action="key_made")
        assert (entry.customer, entry.address) == (alice.customer, "127.0.0.1")
        assert entry.subject.startswith("CI (rsolv_")

    def test_requires_a_name(self, alice: Browser) -> None:
        assert alice.post(PAGE, {"name": ""}).status_code == 422
        assert not ApiKey.objects.exists()

    def test_is_limited(self, alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("customers.services.manage_keys.MAX_ACTIVE_KEYS", 1)
        make(alice)
        assert "Revoke one" in alice.post(PAGE, {"name": "CI"}).text


class TestRotate:
    @pytest.mark.parametrize(("overlap", "old_works"), [("0", False), ("1", True), ("168", True)])
    def test_new_key_works_and_old_key_works_during_the_overlap(
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

    def test_key_is_rotated_once(self, alice: Browser) -> None:
        old, _ = make(alice)
        for _ in range(2):
            alice.post(f"{PAGE}{old.pk}/rotate/", {"overlap": "24"})
        assert ApiKey.objects.count() == 2

    def test_does_not_extend_the_expiry_of_the_old_key(self, alice: Browser) -> None:
        soon = timezone.now() + timedelta(minutes=5)
        key = create_api_key(customer=alice.customer, name="CI", expires_at=soon).api_key
        alice.post(f"{PAGE}{key.pk}/rotate/", {"overlap": "168"})
        key.refresh_from_db()
        assert key.expires_at == soon

    def test_invalid_overlap_changes_nothing(self, alice: Browser) -> None:
        old, _ = make(alice)
        alice.post(f"{PAGE}{old.pk}/rotate/", {"overlap": "9999"})
        assert ApiKey.objects.count() == 1


class TestRevoke:
    def test_next_request_is_rejected(self, alice: Browser) -> None:
        key, raw = make(alice)
        assert works(raw)
        alice.post(f"{PAGE}{key.pk}/revoke/")
        assert not works(raw)
        assert AuditLogEntry.objects.filter(action="key_revoked").count() == 1

    def test_explains_what_stops_working(self, alice: Browser) -> None:
        _, raw = make(alice)
        assert "nothing stops working" in alice.get(PAGE).text
        works(raw)
        page = alice.get(PAGE).text
        assert "Every workflow that sends CI stops working at once" in " ".join(page.split())
        assert "127.0.0.1" in page


class TestAccess:
    @pytest.mark.parametrize("action", ["rotate", "revoke"])
    def test_keys_of_another_tenant_are_not_found(
        self, alice: Browser, mallory: Browser, action: str
    ) -> None:
        key, raw = make(alice)
        assert mallory.post(f"{PAGE}{key.pk}/{action}/", {"overlap": "0"}).status_code == 404
        assert key.prefix not in mallory.get(PAGE).text
        assert works(raw)

    @pytest.mark.parametrize("role", ["member", "billing"])
    def test_other_roles_can_view_but_not_change(self, alice: Browser, bob: Browser, role: str) -> None:
        key, raw = make(alice)
        set_role(bob, role)
        assert key.prefix in bob.get(PAGE).text
        for path in (PAGE, f"{PAGE}{key.pk}/rotate/", f"{PAGE}{key.pk}/revoke/"):
            assert bob.post(path, {"name": "x", "overlap": "0"}).status_code == 403
        assert works(raw)
        assert ApiKey.objects.count() == 1

    def test_redirects_anonymous_users_to_login(self, client: Browser, db: None) -> None:
        assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")

    def test_active_keys_come_before_newer_inactive_keys(
        self, alice: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(alice, "old and good")
        for number in range(3):
            revoke_api_key(api_key=make(alice, f"over {number}")[0], at=timezone.now())
        monkeypatch.setattr("rsolv.portal.keys.KEYS_SHOWN", 2)
        assert "old and good" in alice.get(PAGE).text
        assert "over 0" not in alice.get(PAGE).text
        assert "over 0" in alice.get(f"{PAGE}?page=2").text

    def test_lists_every_active_key(self, alice: Browser) -> None:
        make(alice, "old and good")
        now = timezone.now()
        ApiKey.objects.bulk_create(
            ApiKey(
                customer=alice.customer, name=f"over {n}", prefix="rsolv_x", key_hash=str(n), revoked_at=now
            )
            for n in range(201)
        )
        assert "old and good" in alice.get(PAGE).text

    def test_number_of_queries_is_constant(self, alice: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                alice.get(PAGE)
            return len(queries)

        make(alice)
        for_one = count()
        for _ in range(9):
            create_api_key(customer=alice.customer, name="x", created_by=MembershipFactory().user)
        assert count() == for_one
