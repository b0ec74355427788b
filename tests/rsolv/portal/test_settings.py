import json

import pytest

from customers.models import AuditLogEntry, Membership, User
from phases.models import StorageUse
from tests.billing.billing_env import BillingEnv
from tests.rsolv.portal.markup import read_page
from tests.rsolv.portal.test_fixes import open_page
from tests.tenants import Browser, expire_recent_login, set_role

MANAGER_PATHS = ("company/", "export/")


class TestProfile:
    def test_saves_name_and_time_zone(self, alice: Browser) -> None:
        response = alice.post(
            "/dashboard/settings/profile/", {"name": " Alice ", "time_zone": "Europe/Berlin"}
        )
        assert response.url == "/dashboard/settings/"
        assert User.objects.values_list("name", "time_zone").get() == ("Alice", "Europe/Berlin")

    def test_rejects_an_unknown_time_zone(self, alice: Browser) -> None:
        response = alice.post("/dashboard/settings/profile/", {"name": "", "time_zone": "Mars/Base"})
        assert response.status_code == 422
        assert User.objects.get().time_zone == ""

    def test_shows_the_current_time_zone(self, alice: Browser) -> None:
        User.objects.update(time_zone="Asia/Tokyo")
        page = read_page(alice.get("/dashboard/settings/").text)
        assert [e.attrs["value"] for e in page.find_all("option") if "selected" in e.attrs] == ["Asia/Tokyo"]


class TestCompany:
    def test_can_be_renamed(self, alice: Browser, mallory: Browser) -> None:
        alice.post("/dashboard/settings/company/", {"company": "Acme & Sons"})
        for browser, name in ((alice, "Acme & Sons"), (mallory, "Other")):
            browser.customer.refresh_from_db()
            assert browser.customer.name == name

    def test_requires_a_name(self, alice: Browser) -> None:
        assert alice.post("/dashboard/settings/company/", {"company": " "}).status_code == 422


class TestMail:
    def test_preferences_are_per_member(self, alice: Browser, mallory: Browser) -> None:
        alice.post("/dashboard/settings/mail/", {"wants_guidance": "on"})
        preferences = Membership.objects.values_list("wants_alerts", "wants_guidance")
        assert preferences.get(customer=alice.customer) == (False, True)
        assert preferences.get(customer=mallory.customer) == (True, True)

    def test_preferences_are_denied_to_members(self, bob: Browser) -> None:
        assert bob.post("/dashboard/settings/mail/", {}).status_code == 403


class TestRoles:
    @pytest.mark.parametrize("role", ["member", "billing"])
    @pytest.mark.parametrize("path", MANAGER_PATHS)
    def test_deny_manager_actions_to_other_roles(self, bob: Browser, role: str, path: str) -> None:
        set_role(bob, role)
        assert bob.post(f"/dashboard/settings/{path}", {"company": "Mine"}).status_code == 403
        assert f"/dashboard/settings/{path}" not in bob.get("/dashboard/settings/").text

    @pytest.mark.parametrize("role", ["admin", "member", "billing"])
    def test_deny_closing_to_all_but_the_owner(self, bob: Browser, role: str) -> None:
        set_role(bob, role)
        assert bob.get("/dashboard/settings/close/").status_code == 403
        assert "/dashboard/settings/close/" not in bob.get("/dashboard/settings/").text


class TestExport:
    def test_is_a_json_file_of_the_own_customer(self, alice: Browser, mallory: Browser) -> None:
        response = alice.post("/dashboard/settings/export/")
        assert response["Content-Disposition"].startswith('attachment; filename="rsolv-acme-')
        exported = json.loads(b"".join(response.streaming_content))
        assert exported["account"][0]["name"] == "Acme"
        assert mallory.customer.email not in json.dumps(exported)

    def test_is_recorded_in_the_audit_log(self, alice: Browser) -> None:
        alice.post("/dashboard/settings/export/")
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.customer, entry.address) == ("data_exported", alice.customer, "127.0.0.1")

    def test_requires_post(self, alice: Browser) -> None:
        assert alice.get("/dashboard/settings/export/").status_code == 405


class TestClosing:
    PATH = "/dashboard/settings/close/"

    def test_requires_reauthentication(self, alice: Browser) -> None:
        expire_recent_login(alice)
        assert alice.get(self.PATH).url.startswith("/accounts/reauthenticate/")
        alice.post(self.PATH, {"confirmation": "Acme"})
        alice.customer.refresh_from_db()
        assert alice.customer.closed_at is None

    def test_requires_the_account_name(self, alice: Browser) -> None:
        response = alice.post(self.PATH, {"confirmation": "Acmee"})
        assert response.status_code == 422
        alice.customer.refresh_from_db()
        assert alice.customer.closed_at is None

    def test_ends_access_for_the_members(self, alice: Browser) -> None:
        page = alice.post(self.PATH, {"confirmation": "acme"}, follow=True).text
        assert "The account is closed" in page
        assert "No account yet" in page
        assert alice.get("/dashboard/keys/").url == "/dashboard/"

    def test_reports_unavailable_stripe_and_closes_nothing(
        self, billing_env: BillingEnv, alice: Browser
    ) -> None:
        billing_env.subscribe("payg", customer=alice.customer)
        billing_env.stripe.control.add_fault("status", path="*", status=500, times=None)
        response = alice.post(self.PATH, {"confirmation": "Acme"})
        assert (response.status_code, response["Retry-After"]) == (503, "30")
        assert "nothing is charged or changed twice" in response.text
        alice.customer.refresh_from_db()
        assert alice.customer.closed_at is None

    def test_explains_why_it_failed(self, alice: Browser) -> None:
        account = alice.customer.billing_account
        account.plan, account.status = "payg", "pending"
        account.save()
        response = alice.post(self.PATH, {"confirmation": "Acme"})
        assert response.status_code == 422
        assert "still being set up at Stripe" in response.text


class TestStorage:
    def test_shows_usage_and_limit(self, alice: Browser) -> None:
        StorageUse.objects.create(customer=alice.customer, stored_bytes=12_300_000)
        assert "12.3 MB of 50 MB" in open_page(alice, "/dashboard/settings/").find("main").words

    def test_explains_what_to_do_at_the_limit(self, alice: Browser) -> None:
        StorageUse.objects.create(customer=alice.customer, stored_bytes=50_000_000)
        assert "Ask for more storage" in open_page(alice, "/dashboard/settings/").find("main").words
