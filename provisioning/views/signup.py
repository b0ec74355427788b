"""The signup pages."""

from typing import Any

from allauth.account.views import SignupView as AllauthSignupView
from allauth.socialaccount.views import SignupView as AllauthSocialSignupView
from django.db import IntegrityError
from django.http import HttpResponse

from core.error_messages import translate_error
from provisioning.key_reveal import set_new_key_cookie
from provisioning.services.provision_customer import SignupRejected


class SignupView(AllauthSignupView):
    """Sign up with address and password: stores a request and mails a code. See provisioning.views.code."""


class SocialSignupView(AllauthSocialSignupView):
    """Sign up with GitHub. An address verified by GitHub needs no code: the next page shows the key."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except (IntegrityError, SignupRejected):  # the same form was submitted twice at once
            form.add_error("email", translate_error(SignupRejected()))
            rejected: HttpResponse = self.form_invalid(form)
            return rejected
        new_key = getattr(self.request, "new_api_key", None)
        if new_key:
            set_new_key_cookie(response, new_key.raw, user=new_key.api_key.created_by)
        return response
