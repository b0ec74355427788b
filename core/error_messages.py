"""What an error says to a person. The API speaks English, whoever calls."""

from django.utils.translation import gettext

from core.errors import DomainError


def translate_error(error: DomainError) -> str:
    """The error's message in the language of who reads; its template is marked with gettext_noop."""
    text = gettext(error.template)
    return text % error.params if error.params else text
