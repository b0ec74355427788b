"""A customer's year with a browser: amounts are read where a person reads them, on Stripe's pages too."""

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
# Can be saved, and pays nothing.
DECLINES_PAYMENT = "4000 0000 0000 0341"
# The bank asks whenever it pays; or once, when it is saved.
SECURE, SECURE_ONCE = "4000 0000 0000 3220", "4000 0025 0000 3155"
BILLING = "/dashboard/billing/"
KEY = "sk_test_" + "browser" * 4


@dataclass(kw_only=True)
class BrowserScenario(Scenario):
    """A person with a browser, their runner with a key, and Stripe's clock; RSOLV's is real time."""

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
        """Wait until Stripe has every fix that is to be billed."""
        self.live_stack.supervisor.wait_for(
            "the meter", lambda: len(self._ask("/_sandbox/meter_events")) == self.metered, TIMEOUT
        )

    def pass_time(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        """Move Stripe's clock, and wait until its events are delivered."""
        self._control("clock", advance_seconds=days * 86400 + hours * 3600 + seconds)
        self._control("deliveries/flush", timeout=TIMEOUT)

    def compute_rest_cents(self, monthly_cents: int) -> int:
        """What is left of a month's price by Stripe's clock."""
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

    def expect_shown(self, path: str, *words: str) -> None:
        """A page of ours says all this, at the latest when Stripe's news has come."""

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
        """The newest one."""
        self.person.open("/dashboard/billing/invoices/").locator("tbody tr").first.locator("th a").click()
        self.page.wait_for_url(re.compile("/invoices/.+/$"))

    def open_stripes_portal(self) -> None:
        self.person.open(BILLING)
        self.person.press("Card and billing address")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Your billing")


def test_customer_scenario(empty_stack: LiveServerStack) -> None:
    person = empty_stack.new_person()
    with RsolvApi(empty_stack.stack.url, sign_up(empty_stack, person)) as api:
        scenario = BrowserScenario(live_stack=empty_stack, person=person, api=api)
        use_up_trial(scenario)
        choose_teams(scenario)
        renew(scenario)
        fail_to_renew(scenario)
        kept_cents = downgrade(scenario)
        kept_cents = cancel(scenario, kept_cents)
        subscribe_again(scenario, kept_cents)


def sign_up(live_stack: LiveServerStack, person: Person) -> str:
    """The key that is shown once."""
    page = person.open("/accounts/signup/")
    page.get_by_label("Company or team").fill("Scenario")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Create account")
    page.get_by_label("Code").fill(live_stack.read_mail(EMAIL, CODE.pattern))
    person.press("Confirm")
    return page.locator("#new-api-key").inner_text()


def use_up_trial(scenario: BrowserScenario) -> None:
    scenario.fix(10, is_metered=False)
    scenario.expect_shown(BILLING, "10 of 10", "$0.00")
    scenario.fix(1, is_metered=False)
    scenario.expect_shown(BILLING, "10 of 10", "$0.00")


def choose_teams(scenario: BrowserScenario) -> None:
    """$499 at once, after a card that was not the person's; of 61 fixes one is beyond the included."""
    scenario.person.open("/dashboard/billing/plans/").get_by_label("Teams").check()
    scenario.person.press("Continue to payment")
    expect(scenario.page.locator("p.amount")).to_have_text("$499.00")
    scenario.page.get_by_label("Card number").fill(SECURE)
    scenario.page.get_by_role("button", name="Subscribe").click()
    scenario.page.get_by_role("button", name="It is not me").click()
    expect(scenario.page.locator("body")).to_contain_text("unable to authenticate")
    scenario.page.get_by_label("Card number").fill(VISA)
    scenario.page.get_by_role("button", name="Subscribe").click()
    scenario.page.wait_for_url(re.compile("/dashboard/billing/$"))
    scenario.expect_shown(BILLING, "Teams Active", "0 of 60", "$499.00")
    scenario.expect_newest_invoice("Paid", 0, "$499.00")
    scenario.fix(60)
    scenario.expect_shown(BILLING, "60 of 60", "0 left", "$499.00")
    scenario.fix(1)
    scenario.expect_shown(BILLING, "61 of 60", "1 beyond the 60 included", "$507.00")
    scenario.expect_shown("/dashboard/usage/", "61", "$507.00")


def renew(scenario: BrowserScenario) -> None:
    """The next month ahead and the one fix: an invoice that opens to its 61 fixes, each with its evidence."""
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
    """The fixes of the invoice's line that says so, opened; every one of them says `each`."""
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())))
    line = scenario.main.locator("details.line").filter(has_text=pattern)
    line.locator("summary").first.click()
    amounts = line.locator("ul.fixes .line-amount")
    expect(amounts.first).to_be_visible()
    assert {text.strip() for text in amounts.all_inner_texts()} == {each}
    return amounts.count()


def fail_to_renew(scenario: BrowserScenario) -> None:
    """A card that pays nothing; an expired one is refused; one by 3-D Secure is saved, and another pays."""
    use_card(scenario, DECLINES_PAYMENT)
    scenario.close_month()
    scenario.expect_newest_invoice("Due", 0, "$499.00")
    scenario.expect_shown(BILLING, "Your last payment failed", "Teams Payment failed", "$499.00")
    assert scenario.api.get_entitlement()["canUseService"]
    use_card(scenario, EXPIRED)
    expect(scenario.page.locator("body")).to_contain_text("Your card has expired.")
    use_card(scenario, SECURE_ONCE)
    scenario.page.get_by_role("button", name="It is me").click()
    expect(scenario.page.locator("body")).to_contain_text("3155")
    scenario.open_invoice()
    scenario.main.get_by_role("link", name="Pay this invoice").click()
    expect(scenario.page.locator("p.amount")).to_have_text("$499.00")
    scenario.page.get_by_text("Pay with another card").click()
    scenario.page.get_by_label("Card number").fill(SECURE)
    scenario.page.locator("button[value=pay_new]").click()
    scenario.page.get_by_role("button", name="It is me").click()
    expect(scenario.main).to_contain_text("Paid")
    scenario.expect_newest_invoice("Paid", 0, "$499.00")
    scenario.expect_shown(BILLING, "Teams Active")


def use_card(scenario: BrowserScenario, number: str) -> None:
    scenario.open_stripes_portal()
    scenario.page.get_by_text("Change the card").click()
    scenario.page.get_by_label("Card number").fill(number)
    scenario.page.get_by_role("button", name="Use this card").click()


def downgrade(scenario: BrowserScenario) -> int:
    """Ten days into the month the rest of it is given back, to the cent as it was shown; the cents kept."""
    scenario.pass_time(days=10)
    scenario.person.open(BILLING)
    scenario.main.get_by_role("link", name="Change plan").click()
    expect(scenario.page.get_by_role("heading", level=1)).to_have_text("From Teams to Pay as you go")
    assert read_sum(scenario, "Charged to your card now") == 0
    kept_cents = read_sum(scenario, "Kept on your balance")
    assert abs(kept_cents - scenario.compute_rest_cents(49900)) <= 5
    scenario.person.press("Change to Pay as you go")
    expect(scenario.page.locator("body")).to_contain_text("You are on Pay as you go now.")
    scenario.expect_shown(BILLING, "Pay as you go Active", "$0.00")
    scenario.expect_newest_invoice("Paid", 0, f"-{format_cents(kept_cents)}")
    return kept_cents


def read_sum(scenario: BrowserScenario, label: str) -> int:
    """An amount of the preview, in cents."""
    row = scenario.main.locator("dl.sums > div").filter(has=scenario.page.locator("dt", has_text=label))
    return round(float(row.locator("dd").inner_text().strip().lstrip("$").replace(",", "")) * 100)


def cancel(scenario: BrowserScenario, kept_cents: int) -> int:
    """With the period, and taken back; then at once: two fixes for $30, paid by what was kept."""
    scenario.person.open("/dashboard/billing/cancel/")
    scenario.person.press("Cancel at the end of the period")
    expect(scenario.page.locator("body")).to_contain_text("Until then nothing changes.")
    scenario.expect_shown(BILLING, "Your plan is ending")
    scenario.person.press("Keep the plan")
    expect(scenario.page.locator("body")).to_contain_text("Your plan will continue.")
    scenario.expect_shown(BILLING, "Renews")
    scenario.fix(2)
    scenario.expect_shown(BILLING, "$30.00")
    scenario.pass_time(seconds=60)
    scenario.person.open("/dashboard/billing/cancel/")
    scenario.person.press("Cancel now")
    expect(scenario.page.locator("body")).to_contain_text("Your plan has ended.")
    scenario.pass_time(hours=2)
    scenario.expect_newest_invoice("Paid", 2, "$30.00")
    scenario.open_invoice()
    expect(scenario.main.locator("dl.sums")).to_contain_text("$30.00")
    assert scenario.read_balance_cents() == kept_cents - 3000
    scenario.expect_shown(BILLING, "Canceled")
    assert not scenario.api.get_entitlement()["canUseService"]
    return kept_cents - 3000


def subscribe_again(scenario: BrowserScenario, kept_cents: int) -> None:
    """Nothing is due at Checkout; a fix costs $15 at the month's end, which what was kept pays too."""
    scenario.person.open("/dashboard/billing/plans/").get_by_label("Pay as you go").check()
    scenario.person.press("Continue to payment")
    expect(scenario.page.locator("p.amount")).to_have_text("$0.00")
    scenario.page.get_by_label("Card number").fill(VISA)
    scenario.page.get_by_role("button", name="Subscribe").click()
    scenario.page.wait_for_url(re.compile("/dashboard/billing/$"))
    scenario.expect_shown(BILLING, "Pay as you go Active", "$0.00")
    scenario.fix(1)
    scenario.expect_shown(BILLING, "$15.00")
    scenario.close_month()
    scenario.expect_newest_invoice("Paid", 1, "$15.00")
    assert scenario.read_balance_cents() == kept_cents - 1500
