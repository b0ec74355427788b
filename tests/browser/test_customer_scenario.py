"""The lifecycle of a customer in a browser: amounts are read on our pages and on Stripe's."""

import re
import time
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from core.formats import format_cents
from sandbox.action.api import RsolvApi
from sandbox.demo.journey import CODE
from sandbox.seed.personas import PASSWORD
from tests.scenario import Scenario

from .live_server_stack import TIMEOUT, LiveServerStack, Person

EMAIL = "ann@scenario.example"
VISA, EXPIRED = "4242 4242 4242 4242", "4000 0000 0000 0069"
# Can be saved, but every payment is declined.
DECLINES_PAYMENT = "4000 0000 0000 0341"
# Requires 3-D Secure at every payment; or once, when it is saved.
SECURE, SECURE_ONCE = "4000 0000 0000 3220", "4000 0025 0000 3155"
BILLING = "/dashboard/billing/"
KEY = "sk_test_" + "browser" * 4


@dataclass(kw_only=True)
class BrowserScenario(Scenario):
    """A person with a browser, the Action with a key, and Stripe's clock. RSOLV's clock is real time."""

    live_stack: LiveServerStack
    person: Person
    api: RsolvApi
    metered: int = 0

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def fix(self, count: int, *, is_metered: bool = True) -> None:
        self.metered += count * is_metered
        super().fix(count)

    def store_phase(self, body: dict[str, Any]) -> None:
        self.api.store_phase(body)

    def wait_for_meter(self) -> None:
        """Wait until Stripe's meter has every billed fix."""
        self.live_stack.supervisor.wait_for(
            "the meter", lambda: len(self._ask("/_sandbox/meter_events")) == self.metered, TIMEOUT
        )

    def pass_time(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        """Move Stripe's clock, and wait until its events are delivered."""
        self._control("clock", advance_seconds=days * 86400 + hours * 3600 + seconds)
        self._control("deliveries/flush", timeout=TIMEOUT)

    def compute_rest_cents(self, monthly_cents: int) -> int:
        """Return the part of a month's price for the rest of the period, by Stripe's clock."""
        item = self.list_objects("subscription")[0]["items"]["data"][0]
        start, end = item["current_period_start"], item["current_period_end"]
        now = self._ask("/_sandbox/clock")["now"]
        return round(monthly_cents * (end - now) / (end - start))

    def list_objects(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask(f"/v1/{kind}s")["data"]
        return found

    def _ask(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = httpx.get(f"{self.live_stack.stack.stripe_url}{path}", headers=headers, trust_env=False)
        return answer.raise_for_status().json()

    def _control(self, path: str, **body: float) -> None:
        url = f"{self.live_stack.stack.stripe_url}/_sandbox/{path}"
        httpx.post(url, json=body, timeout=2 * TIMEOUT, trust_env=False).raise_for_status()

    def open_checkout(self, plan: str, *, due: str) -> None:
        """Choose a plan; Stripe's Checkout opens and shows the amount due."""
        self.person.open("/dashboard/billing/plans/").get_by_label(plan).check()
        self.person.press("Continue to payment")
        expect(self.page.locator("p.amount")).to_have_text(due)

    def subscribe(self, card: str) -> None:
        """Pay on the page of Stripe's Checkout."""
        self.page.get_by_label("Card number").fill(card)
        self.page.get_by_role("button", name="Subscribe").click()

    def wait_for_return(self) -> None:
        """Wait until Checkout has redirected to the billing page."""
        self.page.wait_for_url(re.compile("/dashboard/billing/$"))

    def authenticate(self, *, is_owner: bool) -> None:
        """Answer the question of 3-D Secure."""
        self.page.get_by_role("button", name="It is me" if is_owner else "It is not me", exact=True).click()

    def set_card(self, number: str) -> None:
        """Replace the card in Stripe's customer portal."""
        self.open_customer_portal()
        self.page.get_by_text("Change the card").click()
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_role("button", name="Use this card").click()

    def pay(self, card: str, *, due: str) -> None:
        """Pay the newest invoice with another card, which requires 3-D Secure."""
        self.open_invoice()
        self.main.get_by_role("link", name="Pay this invoice").click()
        expect(self.page.locator("p.amount")).to_have_text(due)
        self.page.get_by_text("Pay with another card").click()
        self.page.get_by_label("Card number").fill(card)
        self.page.locator("button[value=pay_new]").click()
        self.authenticate(is_owner=True)
        expect(self.main).to_contain_text("Paid")

    def cancel_plan(self) -> None:
        """End the plan now."""
        self.person.open("/dashboard/billing/cancel/")
        self.person.press("Cancel now")
        expect(self.page.locator("body")).to_contain_text("Your plan has ended.")

    def cancel_plan_at_period_end(self) -> None:
        self.person.open("/dashboard/billing/cancel/")
        self.person.press("Cancel at the end of the period")
        expect(self.page.locator("body")).to_contain_text("Until then nothing changes.")
        self.expect_shown(BILLING, "Your plan is ending")

    def keep_plan(self) -> None:
        """Revoke the cancellation."""
        self.person.press("Keep the plan")
        expect(self.page.locator("body")).to_contain_text("Your plan will continue.")
        self.expect_shown(BILLING, "Renews")

    def expect_shown(self, path: str, *words: str) -> None:
        """Reload a page of ours until it shows all the words, or fail after TIMEOUT."""

        def is_shown() -> bool:
            text = self.person.open(path).get_by_role("main").inner_text()
            missing[:] = [each for each in words if each not in " ".join(text.split())]
            return not missing

        missing: list[str] = []
        deadline = time.monotonic() + TIMEOUT
        while not is_shown():
            assert time.monotonic() < deadline, f"{path} lacks {missing}:\n{self.main.inner_text()}"
            time.sleep(0.2)

    def expect_newest_invoice(self, status: str, fixes: int, total: str) -> None:
        """Reload the list of invoices until the first one shows this, or fail after TIMEOUT."""

        def is_shown() -> bool:
            cells = self.person.open("/dashboard/billing/invoices/").locator("tbody tr").first.locator("td")
            row[:] = [" ".join(each.split()) for each in cells.all_inner_texts()[:3]]
            return row == [status, str(fixes), total]

        row: list[str] = []
        deadline = time.monotonic() + TIMEOUT
        while not is_shown():
            assert time.monotonic() < deadline, row
            time.sleep(0.2)

    def open_invoice(self) -> None:
        """Open the newest invoice."""
        self.person.open("/dashboard/billing/invoices/").locator("tbody tr").first.locator("th a").click()
        self.page.wait_for_url(re.compile("/invoices/.+/$"))

    def open_customer_portal(self) -> None:
        self.person.open(BILLING)
        self.person.press("Card and billing address")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Your billing")


def test_customer_lifecycle(empty_stack: LiveServerStack) -> None:
    person = empty_stack.new_person()
    with RsolvApi(empty_stack.stack.url, sign_up(empty_stack, person)) as api:
        scenario = BrowserScenario(live_stack=empty_stack, person=person, api=api)
        check_trial(scenario)
        check_upgrade(scenario)
        check_renewal(scenario)
        check_failed_renewal(scenario)
        credit_cents = check_downgrade(scenario)
        credit_cents = check_cancellation(scenario, credit_cents)
        check_second_subscription(scenario, credit_cents)


def sign_up(live_stack: LiveServerStack, person: Person) -> str:
    """Sign up and return the API key, which is shown once."""
    page = person.open("/accounts/signup/")
    page.get_by_label("Company or team").fill("Scenario")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Create account")
    page.get_by_label("Code").fill(live_stack.read_mail(EMAIL, CODE.pattern))
    person.press("Confirm")
    return page.locator("#new-api-key").inner_text()


def check_trial(scenario: BrowserScenario) -> None:
    """Ten fixes are free; the eleventh is stored and never billed."""
    scenario.fix(10, is_metered=False)
    scenario.expect_shown(BILLING, "10 of 10", "$0.00")
    scenario.fix(1, is_metered=False)
    scenario.expect_shown(BILLING, "10 of 10", "$0.00")


def check_upgrade(scenario: BrowserScenario) -> None:
    """Teams costs $499 at once, after a failed 3-D Secure; of 61 fixes one is beyond the included 60."""
    scenario.open_checkout("Teams", due="$499.00")
    scenario.subscribe(SECURE)
    scenario.authenticate(is_owner=False)
    expect(scenario.page.locator("body")).to_contain_text("unable to authenticate")
    scenario.subscribe(VISA)
    scenario.wait_for_return()
    scenario.expect_shown(BILLING, "Teams Active", "0 of 60", "$499.00")
    scenario.expect_newest_invoice("Paid", 0, "$499.00")
    scenario.fix(60)
    scenario.expect_shown(BILLING, "60 of 60", "0 left", "$499.00")
    scenario.fix(1)
    scenario.expect_shown(BILLING, "61 of 60", "1 beyond the 60 included", "$507.00")
    scenario.expect_shown("/dashboard/usage/", "61", "$507.00")


def check_renewal(scenario: BrowserScenario) -> None:
    """The invoice charges the next month and the one fix, and lists its 61 fixes with their evidence."""
    scenario.close_month()
    scenario.expect_newest_invoice("Paid", 61, "$507.00")
    scenario.expect_shown(BILLING, "0 of 60", "$499.00")
    scenario.open_invoice()
    expect(scenario.main).to_contain_text("Every line matches our ledger to the cent.")
    assert count_fixes(scenario, "60 fixes in our ledger, $0.00", each="included") == 60
    assert count_fixes(scenario, "1 fix in our ledger, $8.00", each="$8.00") == 1
    scenario.main.get_by_role("link", name="vidence").first.click()
    expect(scenario.page.get_by_role("heading", level=1)).to_contain_text("Fix of acme/shop #")


def count_fixes(scenario: BrowserScenario, words: str, *, each: str) -> int:
    """Expand the invoice line with these words; return the number of its fixes, which all show `each`."""
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())))
    line = scenario.main.locator("details.line").filter(has_text=pattern)
    line.locator("summary").first.click()
    amounts = line.locator("ul.fixes .line-amount")
    expect(amounts.first).to_be_visible()
    assert {text.strip() for text in amounts.all_inner_texts()} == {each}
    return amounts.count()


def check_failed_renewal(scenario: BrowserScenario) -> None:
    """The card fails and the plan stays usable; a payment with another card makes it active again."""
    scenario.set_card(DECLINES_PAYMENT)
    scenario.close_month()
    scenario.expect_newest_invoice("Due", 0, "$499.00")
    scenario.expect_shown(BILLING, "Your last payment failed", "Teams Payment failed", "$499.00")
    assert scenario.api.get_entitlement()["canUseService"]
    scenario.set_card(EXPIRED)
    expect(scenario.page.locator("body")).to_contain_text("Your card has expired.")
    scenario.set_card(SECURE_ONCE)
    scenario.authenticate(is_owner=True)
    expect(scenario.page.locator("body")).to_contain_text("3155")
    scenario.pay(SECURE, due="$499.00")
    scenario.expect_newest_invoice("Paid", 0, "$499.00")
    scenario.expect_shown(BILLING, "Teams Active")


def check_downgrade(scenario: BrowserScenario) -> int:
    """Ten days into the month the rest of it is credited, to the cent of the preview; return the credit."""
    scenario.pass_time(days=10)
    scenario.person.open(BILLING)
    scenario.main.get_by_role("link", name="Change plan").click()
    expect(scenario.page.get_by_role("heading", level=1)).to_have_text("From Teams to Pay as you go")
    assert read_sum(scenario, "Charged to your card now") == 0
    credit_cents = read_sum(scenario, "Kept on your balance")
    assert abs(credit_cents - scenario.compute_rest_cents(49900)) <= 5
    scenario.person.press("Change to Pay as you go")
    expect(scenario.page.locator("body")).to_contain_text("You are on Pay as you go now.")
    scenario.expect_shown(BILLING, "Pay as you go Active", "$0.00")
    scenario.expect_newest_invoice("Paid", 0, f"-{format_cents(credit_cents)}")
    return credit_cents


def read_sum(scenario: BrowserScenario, label: str) -> int:
    """Return an amount of the preview, in cents."""
    row = scenario.main.locator("dl.sums > div").filter(has=scenario.page.locator("dt", has_text=label))
    return round(float(row.locator("dd").inner_text().strip().lstrip("$").replace(",", "")) * 100)


def check_cancellation(scenario: BrowserScenario, credit_cents: int) -> int:
    """A cancellation at the period's end can be revoked. After one at once, the credit pays two fixes."""
    scenario.cancel_plan_at_period_end()
    scenario.keep_plan()
    scenario.fix(2)
    scenario.expect_shown(BILLING, "$30.00")
    scenario.pass_time(seconds=60)
    scenario.cancel_plan()
    scenario.pass_time(hours=2)
    scenario.expect_newest_invoice("Paid", 2, "$30.00")
    scenario.open_invoice()
    expect(scenario.main.locator("dl.sums")).to_contain_text("$30.00")
    assert scenario.read_balance_cents() == credit_cents - 3000
    scenario.expect_shown(BILLING, "Canceled")
    assert not scenario.api.get_entitlement()["canUseService"]
    return credit_cents - 3000


def check_second_subscription(scenario: BrowserScenario, credit_cents: int) -> None:
    """Nothing is due at Checkout; a fix costs $15 at the end of the month, which the credit pays."""
    scenario.open_checkout("Pay as you go", due="$0.00")
    scenario.subscribe(VISA)
    scenario.wait_for_return()
    scenario.expect_shown(BILLING, "Pay as you go Active", "$0.00")
    scenario.fix(1)
    scenario.expect_shown(BILLING, "$15.00")
    scenario.close_month()
    scenario.expect_newest_invoice("Paid", 1, "$15.00")
    assert scenario.read_balance_cents() == credit_cents - 1500
