"""What is encrypted where it lies or travels, with keys made of SECRET_KEY."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def get_cipher(purpose: str) -> MultiFernet:
    """The cipher for one purpose: what it encrypts, that of another cannot read.

    A SECRET_KEY that was replaced goes into SECRET_KEY_FALLBACKS, and what it encrypted can still be read.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derive(purpose, str(secret))) for secret in secrets])


def _derive(purpose: str, secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{purpose}:{secret}".encode()).digest())
