"""The format of API keys: generate, recognize and hash them. Pure."""

import hashlib
import re
import secrets

PATTERN = re.compile(r"rsolv_[A-Za-z0-9_-]{43}\Z", re.ASCII)
VISIBLE_CHARACTERS = 12


def generate_key() -> str:
    """Return a new key: `rsolv_` and 43 base64url characters, which encode 32 random bytes."""
    return f"rsolv_{secrets.token_urlsafe(32)}"


def hash_key(raw: str) -> str:
    """Return the hex SHA-256. A key has 256 random bits, so a slow password hash is not needed."""
    return hashlib.sha256(raw.encode()).hexdigest()


def is_well_formed(raw: str) -> bool:
    return PATTERN.match(raw) is not None
