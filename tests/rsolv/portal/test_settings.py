import json

import pytest

from customers.models import AuditLogEntry, Membership, User
from phases.models import StorageUse
from tests.billing.billing_env import BillingWorld
from tests.rsolv.portal.conftest import Browser, let_login_grow_old
from tests.rsolv.portal.markup import read_page
from tests.rsolv.portal.test_fixes import open_page

OF_MANAGERS = ("company/", "export/")


def set_role(browser: Browser, role: str) -> None:
    Membership.objects.filter(customer=browser.customer).update(role=role)


class TestProfile:
    def test_keeps_name_and_time_zone(self, bob: Browser) -> None:
        response = bob.post("/dashboard/settings/profile/", {"name": " Bob ", "time_zone": "Europe/Berlin"})
        assert response.url == "/dashboard/settings/"
        assert User.objects.values_list("name", "time_zone").get() == ("Bob", "Europe/Berlin")

    def test_refuses_a_zone_that_is_none(self, bob: Browser) -> None:
        response = bob.post("/dashboard/settings/profile/", {"name": "", "time_zone": "Mars/Base"})
        assert response.status_code == 422
        assert User.objects.get().time_zone == ""

    def test_shows_what_is_set(self, bob: Browser) -> None:
        User.objects.update(time_zone="Asia/Tokyo")
        page = read_page(bob.get("/dashboard/settings/").text)
        assert [e.attrs["value"] for e in page.find_all("option") if "selected" in e.attrs] == ["Asia/Tokyo"]


class TestCompany:
    def test_is_renamed(self, bob: Browser, mallet: Browser) -> None:
        bob.post("/dashboard/settings/company/", {"company": "Acme & Sons"})
        for browser, name in ((bob, "Acme & Sons"), (mallet, "Other")):
            browser.customer.refresh_from_db()
            assert browser.customer.name == name

    def test_needs_a_name(self, bob: Browser) -> None:
        assert bob.post("/dashboard/settings/company/", {"company": " "}).status_code == 422


class TestMail:
    def test_is_chosen_by_each_for_themselves(self, bob: Browser, mallet: Browser) -> None:
        bob.post("/dashboard/settings/mail/", {"wants_guidance": "on"})
        wishes = Membership.objects.values_list("wants_alerts", "wants_guidance")
        assert wishes.get(customer=bob.customer) == (False, True)
        assert wishes.get(customer=mallet.customer) == (True, True)

    def test_is_not_for_plain_members(self, bob: Browser) -> None:
        set_role(bob, "member")
        assert bob.post("/dashboard/settings/mail/", {}).status_code == 403


class TestRoles:
    @pytest.mark.parametrize("role", ["member", "billing"])
    @pytest.mark.parametrize("path", OF_MANAGERS)
    def test_keep_others_from_what_managers_do(self, bob: Browser, role: str, path: str) -> None:
        set_role(bob, role)
        assert bob.post(f"/dashboard/settings/{path}", {"company": "Mine"}).status_code == 403
        assert f"/dashboard/settings/{path}" not in bob.get("/dashboard/settings/").text

    @pytest.mark.parametrize("role", ["admin", "member", "billing"])
    def test_keep_all_but_the_owner_from_closing(self, bob: Browser, role: str) -> None:
        set_role(bob, role)
        assert bob.get("/dashboard/settings/close/").status_code == 403
        assert "/dashboard/settings/close/" not in bob.get("/dashboard/settings/").text


class TestExport:
    def test_is_a_json_file_of_ones_own(self, bob: Browser, mallet: Browser) -> None:
        response = bob.post("/dashboard/settings/export/")
        assert response["Content-Disposition"].startswith('attachment; filename="rsolv-acme-')
        exported = json.loads(b"".join(response.streaming_content))
        assert exported["account"][0]["name"] == "Acme"
        assert mallet.customer.email not in json.dumps(exported)

    def test_stands_in_the_audit_log(self, bob: Browser) -> None:
        bob.post("/dashboard/settings/export/")
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.customer, entry.address) == ("data_exported", bob.customer, "127.0.0.1")

    def test_is_not_had_by_a_link(self, bob: Browser) -> None:
        assert bob.get("/dashboard/settings/export/").status_code == 405


class TestClosing:
    PATH = "/dashboard/settings/close/"

    def test_asks_for_the_password_first(self, bob: Browser) -> None:
        let_login_grow_old(bob)
        assert bob.get(self.PATH).url.startswith("/accounts/reauthenticate/")
        bob.post(self.PATH, {"confirmation": "Acme"})
        bob.customer.refresh_from_db()
        assert bob.customer.closed_at is None

    def test_wants_the_name_typed_in(self, bob: Browser) -> None:
        response = bob.post(self.PATH, {"confirmation": "Acmee"})
        assert response.status_code == 422
        bob.customer.refresh_from_db()
        assert bob.customer.closed_at is None

    def test_ends_the_account_for_its_people(self, bob: Browser) -> None:
        page = bob.post(self.PATH, {"confirmation": "acme"}, follow=True).text
        assert "The account is closed" in page
        assert "No account yet" in page
        assert bob.get("/dashboard/keys/").url == "/dashboard/"

    def test_says_that_stripe_is_away_and_closes_nothing(
        self, billing_env: BillingWorld, bob: Browser
    ) -> None:
        billing_env.subscribe("payg", customer=bob.customer)
        billing_env.stripe.control.add_fault("status", path="*", status=500, times=None)
        response = bob.post(self.PATH, {"confirmation": "Acme"})
        assert (response.status_code, response["Retry-After"]) == (503, "30")
        assert "nothing is charged or changed twice" in response.text
        bob.customer.refresh_from_db()
        assert bob.customer.closed_at is None

    def test_says_why_it_could_not(self, bob: Browser) -> None:
        account = bob.customer.billing_account
        account.plan, account.status = "payg", "pending"
        account.save()
        response = bob.post(self.PATH, {"confirmation": "Acme"})
        assert response.status_code == 422
        assert "still being set up at Stripe" in response.text


class TestStorage:
    def test_shows_what_is_used_of_what_may_be(self, bob: Browser) -> None:
        StorageUse.objects.create(customer=bob.customer, stored_bytes=12_300_000)
        assert "12.3 MB of 50 MB" in open_page(bob, "/dashboard/settings/").find("main").words

    def test_says_what_to_do_when_it_is_full(self, bob: Browser) -> None:
        StorageUse.objects.create(customer=bob.customer, stored_bytes=50_000_000)
        assert "Ask for more storage" in open_page(bob, "/dashboard/settings/").find("main").words
