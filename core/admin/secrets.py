"""Decide which columns hold secrets or raw text, so that no page, filter, search or order exposes them."""

import re
from collections.abc import Iterable

from django.core.exceptions import FieldDoesNotExist
from django.db import models

NAMES = re.compile(
    r"secret|password|token|hash|fingerprint|signature|credential|private|session_key|session_data|cookie"
    r"|stripe_data|payload|headers|traceback"
)
# Raw text can hold anything: a key in a response body, a login link in a mail, a Stripe client secret.
RAW = (models.TextField, models.JSONField, models.BinaryField)
# Columns that hold ordinary text, or whose names only look like a secret's.
HARMLESS = frozenset({("djstripe", "email"), ("djstripe", "name")})
# Columns that hold secrets although their names do not match.
SECRET = frozenset({("account", "key"), ("socialaccount", "key"), ("djstripe", "idempotency_key")})


def is_secret(field: models.Field) -> bool:  # type: ignore[type-arg]
    """Return whether a column must never be shown to staff."""
    mark = (field.model._meta.app_label, field.name)
    if mark in HARMLESS or field.is_relation:
        return False
    return mark in SECRET or bool(NAMES.search(field.name)) or isinstance(field, RAW)


def list_secret_paths(model: type[models.Model], paths: Iterable[str]) -> list[str]:
    """Return the paths, such as `customer__api_keys__key_hash`, that pass through a secret column."""
    return [path for path in paths if _touches_secret(model, path)]


def _touches_secret(model: type[models.Model], path: str) -> bool:
    current: type[models.Model] | None = model
    for part in path.lstrip("-=^@").split("__"):
        if current is None:
            return False
        try:
            field = current._meta.get_field(part)
        except FieldDoesNotExist:
            return False
        if isinstance(field, models.Field) and is_secret(field):
            return True
        current = field.related_model
    return False
