"""Signup."""

from typing import Any

from allauth.account.views import SignupView as AllauthSignupView
from django.http import HttpResponse

from .key_reveal import keep_new_key


class SignupView(AllauthSignupView):
    """Allauth's signup, whose answer carries the new key to the page that shows it."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        raw = getattr(self.request, "new_api_key", None)
        if raw:
            keep_new_key(response, raw)
        return response
