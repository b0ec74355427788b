"""The forms of signing up and of one's account, where allauth's words or fields are not ours."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.socialaccount.forms import SignupForm as AllauthSocialSignupForm
from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, User
from rsolv.api.errors import RateLimited
from rsolv.api.throttling import find_address

from .limits import count_signup
from .services import SignupRefused, check_address, provision_customer


class _CompanyForm(forms.Form):
    """A person, their company and their first key, in one transaction."""

    source = Customer.SignupSource.FORM
    name = forms.CharField(
        max_length=200,
        label=_("Company or team"),
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": "Acme Ltd"}),
    )

    def clean_email(self) -> str:
        """The address as it is kept. One in use is answered as a new one is, and a mail says so."""
        email: str = super().clean_email()  # type: ignore[misc]
        if Customer.objects.filter(email__iexact=email, closed_at=None).exists():
            self.account_already_exists = True
        try:
            return check_address(email)
        except SignupRefused as error:
            raise forms.ValidationError(error.message) from error

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.errors:
            try:
                count_signup(email=self.cleaned_data["email"], address=find_address(context.request))
            except RateLimited as error:
                raise forms.ValidationError(error.message) from error
        return cleaned

    @transaction.atomic
    def save(self, request: HttpRequest) -> Any:
        user: User = super().save(request)  # type: ignore[misc]
        provisioned = provision_customer(
            name=self.cleaned_data["name"],
            email=self.cleaned_data["email"],
            user=user,
            source=self.source,
        )
        request.new_api_key = provisioned.key  # type: ignore[attr-defined]
        return user


class SignupForm(_CompanyForm, AllauthSignupForm):
    """Signup with an address and a password."""

    field_order = ("name", "email", "password1")


class SocialSignupForm(_CompanyForm, AllauthSocialSignupForm):
    """Signup with GitHub: only the company is left to be said."""

    source = Customer.SignupSource.GITHUB
    field_order = ("name", "email")

    def clean_email(self) -> str:
        """One that GitHub has confirmed, where there is one: nobody enters with the address of another."""
        email: str = super().clean_email()
        confirmed = [each.email for each in self.sociallogin.email_addresses if each.verified]
        if confirmed and email not in (each.lower() for each in confirmed):
            raise forms.ValidationError(f"Use an address that GitHub has confirmed: {', '.join(confirmed)}.")
        return email


class AddKeyForm(AddWebAuthnForm):
    """A passkey or security key, in our words."""

    passwordless = forms.BooleanField(
        label=_("It logs me in without a password"),
        help_text=_("A passkey does. Leave it off for a key that is only your second step."),
        required=False,
        initial=True,
    )


class _NewPasswordForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("password1", _("New password")), ("password2", _("New password again"))):
            self.fields[name].label = label
            self.fields[name].widget.attrs.pop("placeholder", None)


class ChangePasswordForm(_NewPasswordForm, allauth_forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")


class SetPasswordForm(_NewPasswordForm, allauth_forms.SetPasswordForm):
    pass


class ResetPasswordKeyForm(_NewPasswordForm, allauth_forms.ResetPasswordKeyForm):
    pass
