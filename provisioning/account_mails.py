"""The mails that allauth sends, under the names that it gives their templates, and ours beside them.

`limit` marks what a stranger can have sent to an address by typing it. Notifications of a change are always
sent; most have allauth's text and no HTML of their own.
"""

from datetime import UTC, datetime
from typing import Any

from core.mail.catalog import Mail

_PLACE = {"ip": "192.0.2.7", "user_agent": "Firefox/130.0", "timestamp": datetime(2026, 3, 7, tzinfo=UTC)}
_CODE = {"code": "ABC123"}


def _notification(key: str, **example: Any) -> Mail:
    return Mail(key, is_text_only=True, example=_PLACE | example)


ACCOUNT_MAILS = (
    Mail("account/email/email_confirmation_signup", limit="essential", example=_CODE),
    Mail("account/email/email_confirmation", limit="unsolicited", example=_CODE),
    Mail(
        "account/email/password_reset_key",
        limit="essential",
        example={"password_reset_url": "https://rsolv.test/accounts/password/reset/key/1/"},
    ),
    Mail(
        "account/email/unknown_account",
        limit="unsolicited",
        example={"signup_url": "https://rsolv.test/accounts/signup/"},
    ),
    Mail(
        "account/email/account_already_exists",
        limit="unsolicited",
        example={"password_reset_url": "https://rsolv.test/accounts/password/reset/"},
    ),
    Mail("account/email/reauthentication_code", example=_CODE),
    _notification("account/email/new_device"),
    _notification("account/email/email_changed", from_email="alice@acme.test", to_email="a@acme.test"),
    _notification("account/email/email_confirm"),
    _notification("account/email/email_deleted", deleted_email="alice@acme.test"),
    _notification("account/email/password_changed"),
    _notification("account/email/password_reset"),
    _notification("account/email/password_set"),
    _notification("mfa/email/recovery_codes_generated"),
    _notification("mfa/email/totp_activated"),
    _notification("mfa/email/totp_deactivated"),
    _notification("mfa/email/webauthn_added"),
    _notification("mfa/email/webauthn_removed"),
    _notification("socialaccount/email/account_connected", provider="GitHub"),
    _notification("socialaccount/email/account_disconnected", provider="GitHub"),
)
