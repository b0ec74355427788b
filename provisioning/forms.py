"""Forms for signup, passwords and security keys, with our fields and wording in place of allauth's."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.utils import get_next_redirect_url
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.socialaccount.forms import SignupForm as AllauthSocialSignupForm
from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.api.errors import RateLimited
from core.api.throttling import find_address, find_ip
from core.error_messages import translate_error
from customers.addresses import normalize_email
from customers.models import Customer, User
from customers.selectors import is_address_taken
from customers.services.manage_keys import create_api_key
from customers.services.release_unconfirmed_address import take_over_login
from provisioning.services.confirm_signup import end_requests
from provisioning.services.provision_customer import FIRST_KEY, SignupRejected, check_address, open_account
from provisioning.services.request_signup import InvalidCompanyName, check_name

from .limits import count_signup
from .pending import begin_signup, sign_up_by_github


class _CompanyForm(forms.Form):
    """Fields and checks shared by signup with a password and with GitHub."""

    source = Customer.SignupSource.FORM
    cleaned_data: dict[str, Any]
    name = forms.CharField(
        max_length=200,
        label=_("Company or team"),
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": _("Acme Ltd")}),
    )

    def clean_name(self) -> str:
        try:
            return check_name(self.cleaned_data["name"])
        except InvalidCompanyName as error:
            raise forms.ValidationError(translate_error(error)) from error

    def validate_unique_email(self, value: str) -> str:
        """Accept an address that is in use: the response must not reveal it. See request_signup."""
        return value

    def clean_email(self) -> str:
        """Normalize and check the address."""
        email: str = super().clean_email()  # type: ignore[misc]
        try:
            return check_address(email)
        except SignupRejected as error:
            raise forms.ValidationError(translate_error(error)) from error

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.errors:
            try:
                count_signup(email=self.cleaned_data["email"], address=find_address(context.request))
            except RateLimited as error:
                raise forms.ValidationError(translate_error(error)) from error
        return cleaned

    def begin(self, request: HttpRequest, **options: Any) -> tuple[None, HttpResponse]:
        """Request the signup and return what allauth expects of `try_save`: no user yet, and a redirect."""
        asked = {
            "name": self.cleaned_data["name"],
            "email": self.cleaned_data["email"],
            "source": self.source,
        }
        return None, begin_signup(request, **asked, **options)


class SignupForm(_CompanyForm, AllauthSignupForm):
    """Signup with an address and a password."""

    field_order = ("name", "email", "password1")

    def try_save(self, request: HttpRequest) -> tuple[None, HttpResponse]:
        password = self.cleaned_data["password1"]
        return self.begin(request, password=password, next=get_next_redirect_url(request) or "")


class SocialSignupForm(_CompanyForm, AllauthSocialSignupForm):
    """Signup with GitHub: only the company's name is missing."""

    source = Customer.SignupSource.GITHUB
    field_order = ("name", "email")

    def clean_email(self) -> str:
        """Require one of the addresses that GitHub has verified, if there are any.

        Otherwise a person could sign up with somebody else's address.
        """
        email: str = super().clean_email()
        confirmed = self._list_confirmed()
        if confirmed and email not in confirmed:
            raise forms.ValidationError(
                _("Use an address that GitHub has verified: %(addresses)s."),
                params={"addresses": ", ".join(confirmed)},
            )
        return email

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Create the account immediately if GitHub has verified the address, else mail a code."""
        email = self.cleaned_data["email"]
        if email in self._list_confirmed() and not is_address_taken(email=email):
            return self.save(request), None
        return self.begin(request, social=self.sociallogin)

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        email, now = self.cleaned_data["email"], timezone.now()
        user = sign_up_by_github(request, self.sociallogin, email)
        customer = open_account(
            name=self.cleaned_data["name"], email=email, owner=user, source=self.source, at=now
        )
        request.new_api_key = create_api_key(  # type: ignore[attr-defined]
            customer=customer, name=FIRST_KEY, created_by=user, at=now, address=find_ip(request)
        )
        end_requests(email=email)
        return user

    def _list_confirmed(self) -> list[str]:
        return [normalize_email(each.email) for each in self.sociallogin.email_addresses if each.verified]


class AddKeyForm(AddWebAuthnForm):
    """Add a passkey or security key."""

    passwordless = forms.BooleanField(
        label=_("Log in with this key, without a password"),
        help_text=_("For a passkey. Turn it off if the key is only your second step."),
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
    """Set a new password. The link proves that the person owns the mailbox.

    If somebody else created the login without confirming the address, everything else in it is removed.
    """

    @transaction.atomic
    def save(self) -> None:
        take_over_login(user=self.user, at=timezone.now())
        super().save()
