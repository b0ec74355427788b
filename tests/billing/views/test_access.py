import pytest
from django.test import Client

from tests.factories import UserFactory
from tests.rsolv.portal.markup import read_page
from tests.rsolv.portal.test_dashboard import make_invoice
from tests.tenants import Browser, set_role

from .conftest import open_page

PAGES = (
    "/dashboard/billing/",
    "/dashboard/billing/plans/",
    "/dashboard/billing/return/",
    "/dashboard/billing/change/",
    "/dashboard/billing/cancel/",
    "/dashboard/billing/cap/",
    "/dashboard/billing/invoices/",
    "/dashboard/billing/invoices/RS-1/",
    "/dashboard/billing/fixes/00000000-0000-0000-0000-000000000000/",
)
POSTS = (
    "/dashboard/billing/plans/",
    "/dashboard/billing/return/",
    "/dashboard/billing/change/",
    "/dashboard/billing/cancel/",
    "/dashboard/billing/resume/",
    "/dashboard/billing/portal/",
    "/dashboard/billing/cap/",
)


class TestAccess:
    @pytest.mark.parametrize("path", PAGES)
    def test_redirects_an_anonymous_visitor_to_login_and_back(self, client: Client, path: str) -> None:
        assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"

    @pytest.mark.parametrize("path", PAGES)
    def test_is_forbidden_to_a_member_with_an_explanation(self, bob: Browser, path: str) -> None:
        assert "Ask an owner" in open_page(bob, path, status=403).find("main").words

    @pytest.mark.parametrize("path", POSTS)
    def test_post_is_forbidden_to_a_member(self, bob: Browser, path: str) -> None:
        assert bob.post(path, {"dollars": "5", "when": "now"}).status_code == 403

    @pytest.mark.parametrize("path", POSTS)
    def test_every_post_needs_its_token(self, alice: Browser, path: str) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.cookies = alice.cookies
        assert "This form has expired" in browser.post(path).text

    @pytest.mark.parametrize("role", ["owner", "admin", "billing"])
    def test_is_granted_to_owners_admins_and_billing_managers(self, bob: Browser, role: str) -> None:
        set_role(bob, role)
        assert open_page(bob, "/dashboard/billing/").find("h1").words == "Billing"

    def test_redirects_a_login_without_an_account_to_the_overview(self, client: Client, db: None) -> None:
        client.force_login(UserFactory())
        assert client.get("/dashboard/billing/").headers["Location"] == "/dashboard/"

    def test_is_not_kept_by_caches(self, alice: Browser) -> None:
        assert "no-store" in alice.get("/dashboard/billing/").headers["Cache-Control"]


class TestNavigation:
    def read(self, browser: Browser, path: str = "/dashboard/") -> set[str]:
        page = read_page(browser.get(path).text)
        return {a.attrs.get("href", "") for a in page.find_all("a")}

    def test_leads_to_billing(self, alice: Browser) -> None:
        assert {"/dashboard/billing/", "/dashboard/billing/invoices/"} <= self.read(alice)

    def test_has_no_link_to_billing_for_a_member(self, bob: Browser) -> None:
        for path in ("/dashboard/", "/dashboard/billing/", "/accounts/email/"):
            assert not [link for link in self.read(bob, path) if "/billing/" in link]

    def test_the_dashboard_shows_a_member_no_invoice(self, alice: Browser, bob: Browser) -> None:
        make_invoice(alice.customer, number="ACME-1")
        assert "ACME-1" in alice.get("/dashboard/").text
        assert "ACME-1" not in bob.get("/dashboard/").text

    def test_marks_billing_on_the_pages_below_it(self, alice: Browser) -> None:
        page = open_page(alice, "/dashboard/billing/cap/")
        assert {a.words for a in page.find_all("a") if "aria-current" in a.attrs} == {"Billing"}
