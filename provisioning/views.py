"""Signup."""

from typing import Any

from allauth.account.views import SignupView as AllauthSignupView
from django.db import IntegrityError
from django.http import HttpResponse

from .key_reveal import keep_new_key, keep_no_key
from .services import SignupRefused


class SignupView(AllauthSignupView):
    """Allauth's signup, whose answer carries the new key to the page that shows it."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except (IntegrityError, SignupRefused):  # the same form twice at once
            form.add_error("email", SignupRefused.message)
            refused: HttpResponse = self.form_invalid(form)
            return refused
        new_key = getattr(self.request, "new_api_key", None)
        if new_key:
            keep_new_key(response, new_key.raw, user=new_key.api_key.created_by)
        else:
            keep_no_key(response)
        return response
