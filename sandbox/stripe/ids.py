"""Ids that look like Stripe's: a prefix and letters that never repeat."""

import random
import string

_LETTERS = string.ascii_letters + string.digits
_random = random.Random()


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(_random.choices(_LETTERS, k=length))}"


def new_secret(prefix: str) -> str:
    return new_id(prefix, 32)
