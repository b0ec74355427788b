"""The authenticator app of a person with a second factor."""

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import expect

from .live_server_stack import Person

PERIOD = 30


def turn_on_totp(person: Person) -> str:
    """Set up the app and return its secret."""
    page = person.open_again("/accounts/2fa/totp/activate/")
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code").fill(compute_code(secret))
    person.press("Turn on")
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    return secret


def compute_code(secret: str) -> str:
    """Return the current code. Waits for the next one if it is about to expire."""
    if (left := PERIOD - time.time() % PERIOD) < 6:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD))
