"""The signup forms."""

from typing import Any

from allauth.account.views import SignupView as AllauthSignupView
from allauth.socialaccount.views import SignupView as AllauthSocialSignupView
from django.db import IntegrityError
from django.http import HttpResponse

from core.error_messages import translate_error
from provisioning.key_reveal import keep_new_key
from provisioning.services.provision_customer import SignupRefused


class SignupView(AllauthSignupView):
    """With an address and a password: a request is kept, and a code mailed. See provisioning.views.code."""


class SocialSignupView(AllauthSocialSignupView):
    """With GitHub. An address that it has confirmed needs no code: the key is on the next page."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except (IntegrityError, SignupRefused):  # the same form twice at once
            form.add_error("email", translate_error(SignupRefused()))
            refused: HttpResponse = self.form_invalid(form)
            return refused
        new_key = getattr(self.request, "new_api_key", None)
        if new_key:
            keep_new_key(response, new_key.raw, user=new_key.api_key.created_by)
        return response
