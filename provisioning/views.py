"""Signup."""

from typing import Any

from allauth.account.views import SignupView as AllauthSignupView
from allauth.socialaccount.views import SignupView as AllauthSocialSignupView
from django.db import IntegrityError
from django.http import HttpResponse

from .key_reveal import keep_new_key, keep_no_key
from .services import SignupRefused


class _CarriesTheKey:
    """Allauth's signup, whose answer carries the new key to the page that shows it."""

    request: Any

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except (IntegrityError, SignupRefused):  # the same form twice at once
            form.add_error("email", SignupRefused.message)
            refused: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]
            return refused
        new_key = getattr(self.request, "new_api_key", None)
        if new_key:
            keep_new_key(response, new_key.raw, user=new_key.api_key.created_by)
        else:
            keep_no_key(response)
        return response


class SignupView(_CarriesTheKey, AllauthSignupView):
    """With an address and a password."""


class SocialSignupView(_CarriesTheKey, AllauthSocialSignupView):
    """With GitHub."""
