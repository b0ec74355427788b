"""Encryption of stored and transmitted values, with keys derived from SECRET_KEY."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def get_cipher(purpose: str) -> MultiFernet:
    """Return the cipher of one purpose. It cannot decrypt what another purpose's cipher encrypted.

    After a rotation of SECRET_KEY, add the old value to SECRET_KEY_FALLBACKS to keep older values readable.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derive(purpose, str(secret))) for secret in secrets])


def _derive(purpose: str, secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{purpose}:{secret}".encode()).digest())
