"""The main tasks of users, from beginning to end in a real browser."""

import re
import threading
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import expect

from sandbox.action.__main__ import run
from sandbox.action.api import RsolvApi
from sandbox.action.run import Job
from sandbox.demo.journey import CODE, check_out_shop
from sandbox.seed.personas import PASSWORD

from .live_server_stack import TIMEOUT, LiveServerStack, Person
from .totp import compute_code, turn_on_totp


class TestSignup:
    def test_leads_to_the_first_fix(self, live_stack: LiveServerStack, person: Person) -> None:
        page = person.open("/")
        page.get_by_role("link", name="Sign up").first.click()
        page.get_by_label("Company or team").fill("Acme Shop")
        page.get_by_label("Email").fill("ann@shop.example")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        person.press("Create account")
        page.get_by_label("Code").fill(live_stack.read_mail("ann@shop.example", CODE.pattern))
        person.press("Confirm")
        key = page.locator("#new-api-key").inner_text()
        with check_out_shop() as checkout, RsolvApi(live_stack.stack.url, key) as api:
            run(Job(api=api, repo="acme/shop", issue=1, checkout=checkout))
        person.open("/dashboard/fixes/").get_by_role("link", name="acme/shop #1").click()
        expect(page.locator(f"a[href='{'https://github.com/acme/shop/pull/2'}']").first).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("Fixed")


class TestUpgrade:
    def test_by_checkout_activates_the_plan(self, person: Person) -> None:
        page = person.log_in("trial@demo.example")
        person.open("/dashboard/billing/plans/").get_by_label("Teams").check()
        person.press("Continue to payment")
        page.get_by_role("button", name="Subscribe").click()
        page.wait_for_url(re.compile("/dashboard/billing/$"))
        expect(page.get_by_role("main")).to_contain_text("Teams")


class TestTeammate:
    def test_invited_as_a_member_cannot_open_billing(
        self, live_stack: LiveServerStack, person: Person, bob: Person
    ) -> None:
        person.log_in("payg@demo.example")
        page = person.open("/dashboard/team/")
        page.get_by_label("Email address").fill("bob@halden.example")
        page.get_by_role("main").locator("#invite").get_by_label("Role").select_option("member")
        person.press("Send the invitation")
        link = live_stack.read_mail("bob@halden.example", r"(http\S+/invitations/\S+)")
        theirs = bob.open(urlsplit(link).path)
        theirs.get_by_label("Your name").fill("Bob")
        theirs.get_by_label("Password", exact=True).fill(PASSWORD)
        bob.press("Join")
        expect(theirs.get_by_role("heading", level=1)).to_have_text("Halden & Sons")
        expect(theirs.get_by_role("link", name="Invoices")).to_have_count(0)
        answer = theirs.goto("/dashboard/billing/")
        assert answer is not None and answer.status == 403


class TestKeyRotation:
    def test_rejects_no_request_of_a_running_client(
        self, live_stack: LiveServerStack, person: Person
    ) -> None:
        person.log_in("teams@demo.example")
        page = person.open("/dashboard/keys/")
        page.get_by_label("Name").fill("CI of the shop")
        person.press("Create the key")
        keys, answers = [page.locator("#new-api-key").inner_text()], list[int]()
        is_over = threading.Event()

        def keep_calling() -> None:
            """Send requests with the newest key."""
            with httpx.Client(base_url=live_stack.stack.url, trust_env=False, timeout=TIMEOUT) as client:
                while not is_over.wait(0.1):
                    headers = {"X-API-Key": keys[-1]}
                    answers.append(client.get("/api/v1/entitlement", headers=headers).status_code)

        caller = threading.Thread(target=keep_calling)
        caller.start()
        try:
            row = page.get_by_role("row").filter(has_text="CI of the shop")
            row.get_by_text("Rotate", exact=True).click()
            row.get_by_label("The old key stops working").select_option("1")
            row.get_by_role("button", name="Make the new key").click()
            expect(page.locator("#new-api-key")).not_to_have_text(keys[0])
            self._wait_for_calls(live_stack, answers)
            keys.append(page.locator("#new-api-key").inner_text())
            self._wait_for_calls(live_stack, answers)
        finally:
            is_over.set()
            caller.join()
        assert set(answers) == {200}
        person.open("/dashboard/keys/")
        expect(page.get_by_role("row").filter(has_text="Being replaced")).to_have_count(1)

    @staticmethod
    def _wait_for_calls(live_stack: LiveServerStack, answers: list[int]) -> None:
        wanted = len(answers) + 3
        live_stack.supervisor.wait_for("three more calls", lambda: len(answers) >= wanted, TIMEOUT)


class TestTwoStepLogin:
    def test_requires_the_code_of_the_app_after_the_password(self, person: Person, other: Person) -> None:
        person.log_in("payg@demo.example")
        secret = turn_on_totp(person)
        theirs = other.log_in("payg@demo.example")
        expect(theirs.get_by_role("heading", level=1)).to_have_text("Second step")
        theirs.get_by_label("Code").fill(compute_code(secret))
        other.press("Log in")
        expect(theirs.get_by_role("heading", level=1)).to_have_text("Halden & Sons")


class TestFailedPayment:
    """The seeded card paid the first month and declined the second."""

    def test_is_paid_with_another_card(self, live_stack: LiveServerStack, person: Person) -> None:
        page = person.log_in("pastdue@demo.example")
        banner = page.get_by_role("main").get_by_text(re.compile("payment (has )?failed", re.I)).first
        expect(banner).to_be_visible()
        page.get_by_role("main").get_by_role("link", name=re.compile("pay", re.I)).first.click()
        page.get_by_text("Pay with another card").click()
        page.get_by_label("Card number").fill("4242 4242 4242 4242")
        page.locator("button[value=pay_new]").click()
        expect(page.get_by_role("main")).to_contain_text("Paid")

        def is_gone() -> bool:
            person.open("/dashboard/")
            return banner.count() == 0

        live_stack.supervisor.wait_for("the end of the payment alert", is_gone, TIMEOUT)


class TestCloseAccount:
    def test_ends_access_for_its_members(self, live_stack: LiveServerStack, person: Person) -> None:
        person.log_in("exhausted@demo.example")
        page = person.open_again("/dashboard/settings/close/")
        page.get_by_role("main").get_by_role("textbox").fill("Brightquay")
        person.press("Close the account permanently")
        expect(page.get_by_role("main")).to_contain_text("The account is closed")
        person.open("/dashboard/keys/")
        assert urlsplit(page.url).path == "/dashboard/"
        live_stack.read_mail("exhausted@demo.example", "(closed)")
