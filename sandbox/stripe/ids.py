"""Ids that look like Stripe's: a prefix and unique letters."""

import os
import string

_LETTERS = (string.ascii_letters + string.digits).encode()
_TABLE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{os.urandom(length).translate(_TABLE).decode()}"


def new_secret(prefix: str) -> str:
    return new_id(prefix, 32)
