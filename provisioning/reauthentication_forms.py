"""The forms by which somebody shows who they are. Whoever cannot leaves an entry in the audit log."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.core import context
from allauth.mfa.base.forms import ReauthenticateForm as AllauthSecondStepForm
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm as AllauthPasskeyForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.logins import record_failed_reauthentication
from customers.models import User

from .mailed_code import take_code


class _RecordsFailure(forms.Form):
    """Whoever cannot show who they are leaves an entry in their customer's audit log."""

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.errors:
            record_failed_reauthentication(context.request)
        return cleaned


class ReauthenticateForm(_RecordsFailure, allauth_forms.ReauthenticateForm):
    """By the password."""


class SecondStepForm(_RecordsFailure, AllauthSecondStepForm):
    """By the code of an app, or a recovery code."""


class PasskeyForm(_RecordsFailure, AllauthPasskeyForm):
    """By a passkey or security key."""


class MailedCodeForm(_RecordsFailure):
    """By a code that was mailed."""

    code = forms.CharField(
        max_length=20,
        label=_("Code"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split())
        assert isinstance(self.request.user, User)
        if not take_code(self.request, self.request.user, code):
            raise forms.ValidationError(
                _("This is not the code, or it is too old. After five tries ask for another.")
            )
        return code
