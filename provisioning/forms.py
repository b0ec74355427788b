"""The signup form."""

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import context
from django import forms
from django.db import transaction
from django.http import HttpRequest

from customers.models import Customer, User
from rsolv.api.errors import RateLimited
from rsolv.api.throttling import find_address

from .limits import count_signup
from .services import SignupRefused, check_address, provision_customer


class SignupForm(AllauthSignupForm):
    """A person, their company and their first key, in one transaction."""

    name = forms.CharField(
        max_length=200,
        label="Company or team",
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": "Acme Ltd"}),
    )
    field_order = ("name", "email", "password1")

    def clean_email(self) -> str:
        """The address as it is kept. One in use is answered as a new one is, and a mail says so."""
        email: str = super().clean_email()
        if Customer.objects.filter(email__iexact=email).exists():
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
        user: User = super().save(request)
        provisioned = provision_customer(name=self.cleaned_data["name"], email=user.email, user=user)
        request.new_api_key = provisioned.key  # type: ignore[attr-defined]
        return user
