"""Markup rules for every page of billing, which are those of the portal's other pages."""

import pytest

from billing.models import BillingAccount
from tests.rsolv.portal.markup import Page
from tests.rsolv.portal.test_dashboard import make_invoice
from tests.tenants import Browser

from .conftest import open_page

PAGES = (
    "",
    "plans/",
    "return/?checkout=done&session=cs_1",
    "return/?checkout=done&session=cs_1&polls=20",
    "cap/",
    "invoices/",
    "invoices/RS-1/",
)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, alice: Browser) -> Page:
    BillingAccount.objects.update(spend_cap_cents=5000)
    make_invoice(alice.customer)
    return open_page(alice, f"/dashboard/billing/{request.param}")


class TestEveryPage:
    def test_runs_and_styles_nothing_inline(self, page: Page) -> None:
        assert not page.find_all("style")
        assert all("src" in script.attrs for script in page.find_all("script"))
        for element in page.elements:
            assert not {"style", "onclick", "onsubmit"} & set(element.attrs)

    def test_has_one_heading_and_names_itself(self, page: Page) -> None:
        assert len(page.find_all("main")) == len(page.find_all("h1")) == 1
        assert "RSOLV" in page.find("title").words
        assert not page.find("title").words.startswith("·")

    def test_names_every_field(self, page: Page) -> None:
        labels = {label.attrs["for"] for label in page.find_all("label")}
        fields = [each for each in page.find_all("input") if each.attrs["type"] != "hidden"]
        assert {each.attrs["id"] for each in fields} == labels

    def test_uses_an_id_once(self, page: Page) -> None:
        assert len(page.ids) == len(set(page.ids))

    def test_has_one_primary_action_at_most(self, page: Page) -> None:
        buttons = [each for each in page.elements if "button-primary" in each.attrs.get("class", "")]
        assert len(buttons) <= 1
