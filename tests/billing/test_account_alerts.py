from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.account_alerts import AccountAlert, ContactOptions, explain_account_state
from billing.plans import PAYG, TRIAL
from billing.selectors.entitlements import Entitlement
from billing.selectors.invoices import InvoiceLine

GOOD = Entitlement(
    plan=PAYG,
    status="active",
    blocked_reason=None,
    used=3,
    included=0,
    remaining=None,
    unit_price_cents=1500,
    period_start=None,
    period_end=None,
    period_cents=4500,
)
OPEN = InvoiceLine(
    number="RS-7",
    status="open",
    total_cents=4500,
    currency="usd",
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    period_end=None,
    fixes=3,
    page_url="https://invoice.stripe.com/i/7",
    pdf_url="",
)


CONTACT = ContactOptions(support="help@rsolv.dev", plans_url="/plans/", cap_url="/cap/")


def explain(
    *invoices: InvoiceLine, contact: ContactOptions | None = CONTACT, **changes: object
) -> AccountAlert:
    entitlement = replace(GOOD, **changes)  # type: ignore[arg-type]
    alert = explain_account_state(entitlement, invoices, contact=contact)
    assert alert
    return alert


class TestExplainAccountState:
    def test_returns_nothing_for_an_active_plan(self) -> None:
        assert explain_account_state(GOOD, [OPEN], contact=CONTACT) is None

    def test_offers_plans_with_prices_after_the_trial(self) -> None:
        alert = explain(plan=TRIAL, status="trialing", blocked_reason="trial_exhausted", used=10, included=10)
        assert alert.title == "Your free fixes are used up: 10 of 10"
        assert "$15 a fix" in alert.text
        assert "$499 a month with 60 fixes included, then $8 each" in alert.text
        assert (alert.action_label, alert.action_url) == ("Choose a plan", "/plans/")

    def test_explains_that_an_organization_has_used_its_free_fixes(self) -> None:
        alert = explain(
            plan=TRIAL, status="trialing", blocked_reason="owner_trial_exhausted", used=0, included=10
        )
        assert alert.title == "The free fixes of your GitHub organization are used up"
        assert "If you own it, write to support" in alert.text

    def test_explains_when_there_were_no_free_fixes(self) -> None:
        alert = explain(plan=TRIAL, status="trialing", blocked_reason="trial_exhausted", used=0, included=0)
        assert alert.title == "This account has no free fixes"
        assert "went to another account" in alert.text
        assert alert.action_label == "Choose a plan"

    def test_offers_plans_after_a_cancellation(self) -> None:
        alert = explain(status="canceled", blocked_reason="subscription_canceled")
        assert (alert.title, alert.action_label) == ("Your plan is canceled", "Choose a plan")

    def test_links_an_unpaid_subscription_to_the_open_invoice(self) -> None:
        alert = explain(OPEN, status="unpaid", blocked_reason="subscription_unpaid")
        assert (alert.action_label, alert.action_url) == ("Pay invoice RS-7", OPEN.page_url)

    def test_links_to_support_when_no_invoice_can_be_paid(self) -> None:
        alert = explain(replace(OPEN, status="paid"), status="unpaid", blocked_reason="subscription_unpaid")
        assert alert.action_url.startswith("mailto:help@rsolv.dev")

    def test_explains_that_fixes_continue_while_past_due(self) -> None:
        alert = explain(OPEN, status="past_due")
        assert alert.tone == "warn"
        assert "continue for now" in alert.text

    def test_gives_the_date_until_which_fixes_continue(self) -> None:
        alert = explain(OPEN, status="past_due", grace_ends_at=datetime(2026, 3, 12, tzinfo=UTC))
        assert "continue until 12 Mar 2026" in alert.text

    def test_links_a_reached_cap_to_its_form(self) -> None:
        alert = explain(blocked_reason="spend_cap_reached", spend_cap_cents=5000)
        assert alert.title == "Your spend cap of $50 is reached"
        assert alert.action_url == "/cap/"

    @pytest.mark.parametrize(
        "reason",
        ["trial_exhausted", "owner_trial_exhausted", "subscription_unpaid", "spend_cap_reached"],
    )
    def test_refers_a_plain_member_to_an_owner_without_a_link(self, reason: str) -> None:
        alert = explain(OPEN, contact=None, blocked_reason=reason)
        assert alert.text.endswith("Ask an owner of your account to resolve this.")
        assert (alert.action_label, alert.action_url) == ("", "")

    @pytest.mark.parametrize(
        "reason", ["payment_past_due", "subscription_past_due", "subscription_unpaid", "something_new"]
    )
    def test_explains_that_fixes_are_paused_when_blocked(self, reason: str) -> None:
        alert = explain(blocked_reason=reason)
        assert alert.tone == "bad"
        assert "paused" in alert.title
