"""A passkey, made and used by Chromium's own authenticator."""

from playwright.sync_api import Page, expect

from sandbox.seed.personas import PASSWORD

from .live_server_stack import LiveServerStack, Person

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def give_authenticator(page: Page) -> None:
    """What a phone or computer has built in; it says yes to everything."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


class TestAPasskey:
    def test_is_added_and_then_logs_in_alone(self, live_stack: LiveServerStack, person: Person) -> None:
        home = (
            f"http://localhost:{live_stack.stack.web_port}"  # a passkey belongs to a name, not to an address
        )
        page = person.page
        person.open(f"{home}/accounts/login/")
        page.get_by_label("Email").fill("trial@demo.example")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        person.press("Log in")
        give_authenticator(page)
        person.open(f"{home}/accounts/2fa/webauthn/add/")
        person.press("Add the key")
        expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
        page.get_by_role("button", name="Log out").first.click()
        person.open(f"{home}/accounts/login/")
        person.press("Log in with a passkey")
        expect(page).to_have_url(f"{home}/dashboard/")
        assert person.console_errors == []
