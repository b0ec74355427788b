import pytest

from billing.models import BillingAccount
from customers.models import AuditLogEntry
from tests.tenants import Browser

from .conftest import open_page

CAP = "/dashboard/billing/cap/"


def read_cap(browser: Browser) -> int | None:
    return BillingAccount.objects.get(customer=browser.customer).spend_cap_cents


class TestSetCap:
    def test_says_what_happens_at_it(self, alice: Browser) -> None:
        assert "The Action skips a fix that would exceed it" in open_page(alice, CAP).find("main").words

    def test_is_set_in_whole_dollars(self, alice: Browser, mallory: Browser) -> None:
        response = alice.post(CAP, {"dollars": "750"}, follow=True)
        assert "The spend cap is $750 for each period." in response.text
        assert (read_cap(alice), read_cap(mallory)) == (75000, None)
        entry = AuditLogEntry.objects.get()
        assert (entry.customer, entry.action, entry.subject) == (alice.customer, "cap_changed", "$750")

    @pytest.mark.parametrize("dollars", ["", "0", "-5", "1.5", "1000001", "much"])
    def test_another_amount_is_rejected_beside_its_field(self, alice: Browser, dollars: str) -> None:
        response = alice.post(CAP, {"dollars": dollars})
        assert response.status_code == 422
        assert "id_dollars_error" in response.text
        assert read_cap(alice) is None

    def test_is_taken_away(self, alice: Browser) -> None:
        BillingAccount.objects.update(spend_cap_cents=75000)
        assert "is not limited" in alice.post(CAP, {"remove": ""}, follow=True).text
        assert read_cap(alice) is None

    def test_shows_the_one_that_stands(self, alice: Browser) -> None:
        BillingAccount.objects.update(spend_cap_cents=75000)
        field = open_page(alice, CAP).get("id_dollars")
        assert field
        assert field.attrs["value"] == "750"
