"""Translations of error messages for pages. API responses are always in English."""

from django.utils.translation import gettext

from core.errors import DomainError


def translate_error(error: DomainError) -> str:
    """Return the error's message in the active language. Its template must be marked with gettext_noop."""
    text = gettext(error.template)
    return text % error.params if error.params else text
