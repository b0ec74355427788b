"""Passkeys, with Chromium's virtual authenticator."""

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


def add_virtual_authenticator(page: Page) -> None:
    """Add a virtual authenticator that confirms every request, like one built into a device."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


class TestPasskey:
    def test_logs_in_without_a_password(self, live_stack: LiveServerStack, person: Person) -> None:
        # A passkey belongs to a host name, not to an IP address.
        home = f"http://localhost:{live_stack.stack.web_port}"
        page = person.page
        person.open(f"{home}/accounts/login/")
        page.get_by_label("Email").fill("trial@demo.example")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        person.press("Log in")
        add_virtual_authenticator(page)
        person.open(f"{home}/accounts/2fa/webauthn/add/")
        person.press("Add the key")
        expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
        page.get_by_role("button", name="Log out").first.click()
        person.open(f"{home}/accounts/login/")
        person.press("Log in with a passkey")
        expect(page).to_have_url(f"{home}/dashboard/")
        assert person.console_errors == []
