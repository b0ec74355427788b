"""The signup form."""

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.db import transaction
from django.http import HttpRequest

from customers.models import Customer, User

from .services import provision_customer


class SignupForm(AllauthSignupForm):
    """A person, their company and their first key, in one transaction."""

    name = forms.CharField(
        max_length=200,
        label="Company or team",
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": "Acme Ltd"}),
    )
    field_order = ("name", "email", "password1")

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not self.account_already_exists and Customer.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("This address cannot be used. Write to support if it is yours.")
        return email

    @transaction.atomic
    def save(self, request: HttpRequest) -> Any:
        user: User = super().save(request)
        provisioned = provision_customer(name=self.cleaned_data["name"], email=user.email, user=user)
        request.new_api_key = provisioned.key  # type: ignore[attr-defined]
        return user
