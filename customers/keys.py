"""API keys as text: how they are made, recognized and hashed. Pure."""

import hashlib
import re
import secrets

PATTERN = re.compile(r"rsolv_[A-Za-z0-9_-]{43}\Z", re.ASCII)
VISIBLE_CHARACTERS = 12


def generate_key() -> str:
    """`rsolv_` and 43 base64url characters: 32 random bytes."""
    return f"rsolv_{secrets.token_urlsafe(32)}"


def hash_key(raw: str) -> str:
    """Hex SHA-256. The key is 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(raw.encode()).hexdigest()


def is_well_formed(raw: str) -> bool:
    return PATTERN.match(raw) is not None
