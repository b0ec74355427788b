"""Reauthentication forms that record failures in the audit log."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.core import context
from allauth.mfa.base.forms import ReauthenticateForm as AllauthSecondFactorForm
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm as AllauthPasskeyForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.logins import record_failed_reauthentication
from customers.models import User

from .mailed_code import use_code


class _RecordsFailure(forms.Form):
    """Mixin that records a failed reauthentication in the customer's audit log."""

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.errors:
            record_failed_reauthentication(context.request)
        return cleaned


class ReauthenticateForm(_RecordsFailure, allauth_forms.ReauthenticateForm):
    """With the password."""


class SecondStepForm(_RecordsFailure, AllauthSecondFactorForm):
    """With a code from an authenticator app, or a recovery code."""


class PasskeyForm(_RecordsFailure, AllauthPasskeyForm):
    """With a passkey or security key."""


class MailedCodeForm(_RecordsFailure):
    """With a code sent by mail."""

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
        if not use_code(self.request, self.request.user, code):
            raise forms.ValidationError(
                _("The code is wrong or has expired. After five attempts, request a new one.")
            )
        return code
