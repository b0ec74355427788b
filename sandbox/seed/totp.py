"""`make staff-code`: print the current second-step code of the seeded staff user."""

import base64
import hmac
import time

from .personas import STAFF_SECRET

PERIOD, DIGITS = 30, 6


def compute_code(secret: str, *, at: float) -> str:
    """Return the TOTP code (RFC 6238) of a base32 secret at a Unix timestamp."""
    counter = int(at // PERIOD).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


if __name__ == "__main__":
    print(compute_code(STAFF_SECRET, at=time.time()))
