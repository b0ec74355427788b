"""System checks of the settings for login with GitHub."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def check_github_settings(**_: Any) -> list[CheckMessage]:
    if bool(settings.GITHUB_CLIENT_ID) is bool(settings.GITHUB_CLIENT_SECRET):
        return []
    hint = "GitHub shows both for the OAuth application. Leave both empty to disable login with GitHub."
    message = "Only one of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET is set."
    return [Error(message, hint=hint, id="provisioning.E001")]
