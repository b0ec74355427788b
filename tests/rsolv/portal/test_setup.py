import re

import pytest

from customers.models import Customer
from customers.services.manage_keys import create_api_key
from tests.conftest import ApiClient
from tests.factories import make_mitigation_of
from tests.rsolv.portal.markup import read_page
from tests.tenants import Browser

HTMX = {"HX-Request": "true"}
PAGE = "/dashboard/setup/"


class TestWorkflowFile:
    def test_is_shown_with_defaults(self, alice: Browser) -> None:
        shown = read_page(alice.get(PAGE).text).get("workflow")
        assert shown
        assert "${{ secrets.RSOLV_API_KEY }}" in shown.text
        assert "cron" in shown.text

    def test_page_and_download_have_the_requested_options(self, alice: Browser) -> None:
        options = {"trigger": "push", "mode": "scan", "branch": "trunk", "languages": ["ruby", "go"]}
        shown = read_page(alice.get(PAGE, options).text).get("workflow")
        file = alice.get(f"{PAGE}rsolv.yml", options)
        assert shown
        assert shown.text.split() == file.text.split()
        for word in ("trunk", "mode: scan", "ruby/setup-ruby", "actions/setup-go"):
            assert word in file.text
        assert file.headers["Content-Disposition"] == 'attachment; filename="rsolv.yml"'

    @pytest.mark.parametrize(
        "branch", ["", "a b", "a..b", "/a", "a/", "x\n- evil", "${{ x }}", "a.lock", "'"]
    )
    def test_reports_an_invalid_branch(self, alice: Browser, branch: str) -> None:
        page = alice.get(PAGE, {"branch": branch})
        assert page.status_code == 422
        assert read_page(page.text).get("workflow") is None


class TestConnection:
    def test_is_polled_until_connected(self, alice: Browser) -> None:
        waiting = alice.get(f"{PAGE}connection/", headers=HTMX).text
        assert "hx-get" in waiting
        raw = create_api_key(customer=alice.customer, name="CI").raw
        ApiClient(raw).get("/api/v1/entitlement")
        there = alice.get(f"{PAGE}connection/", headers=HTMX).text
        assert "Connected" in there
        assert "hx-get" not in there

    def test_opened_as_a_page_redirects_to_the_setup(self, alice: Browser) -> None:
        assert alice.get(f"{PAGE}connection/").headers["Location"] == PAGE

    def test_of_another_tenant_is_not_shown(self, alice: Browser, mallory: Browser) -> None:
        make_mitigation_of(alice.customer)
        raw = create_api_key(customer=alice.customer, name="CI").raw
        ApiClient(raw).get("/api/v1/entitlement")
        assert "Connected" in alice.get(PAGE).text
        assert "Connected" not in mallory.get(PAGE).text


class TestHide:
    def test_hides_and_shows_again(self, alice: Browser) -> None:
        alice.post(f"{PAGE}hide/", {"hidden": "yes"})
        assert Customer.objects.get().setup_hidden_at is not None
        alice.post(f"{PAGE}hide/", {"hidden": "no"})
        assert Customer.objects.get().setup_hidden_at is None

    def test_is_denied_to_members(self, bob: Browser) -> None:
        assert bob.get(PAGE).status_code == 200
        assert bob.post(f"{PAGE}hide/", {"hidden": "yes"}).status_code == 403


class TestPolling:
    def test_backs_off(self, alice: Browser) -> None:
        waits = [alice.get(f"{PAGE}connection/?asked={n}", headers=HTMX).text for n in (0, 14, 15, 500)]
        assert [int(re.findall(r"delay:(\d+)s", text)[0]) for text in waits] == [2, 2, 6, 30]
        assert "?asked=15" in waits[1]

    @pytest.mark.parametrize("asked", ["-1", "x", "99999999", "²"])
    def test_restarts_with_an_invalid_count(self, alice: Browser, asked: str) -> None:
        assert "?asked=1" in alice.get(f"{PAGE}connection/", {"asked": asked}, headers=HTMX).text
