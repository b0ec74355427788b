"""The page for a signup's confirmation code."""

from allauth.account.utils import complete_signup
from allauth.account.views import ConfirmEmailVerificationCodeView
from allauth.socialaccount.internal.flows.signup import complete_social_signup
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.api.throttling import find_ip
from core.error_messages import translate_error
from customers.models import User
from provisioning.key_reveal import set_new_key_cookie
from provisioning.pending import PendingSignup, find_pending, forget_pending, sign_up_by_github
from provisioning.services.confirm_signup import SignupNotValid, WrongCode, confirm_by_code
from provisioning.services.provision_customer import SignupRejected

# For an address that a logged-in person adds.
confirm_added_address = ConfirmEmailVerificationCodeView.as_view()


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label=_("Code"),
        widget=forms.TextInput(attrs={"placeholder": _("Code"), "autocomplete": "one-time-code"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_code(request: HttpRequest) -> HttpResponseBase:
    """Confirm a signup, or an address added to a login, by the mailed code."""
    pending = find_pending(request)
    if pending is None:
        added: HttpResponseBase = confirm_added_address(request)
        return added
    form = CodeForm(request.POST if request.method == "POST" else None)
    if not (form.is_bound and form.is_valid()):
        return _render(request, pending, form)
    try:
        return _confirm(request, pending, form.cleaned_data["code"])
    except WrongCode as error:
        form.add_error("code", translate_error(error))
        return _render(request, pending, form)
    except (SignupNotValid, SignupRejected) as error:
        forget_pending(request)
        messages.error(request, translate_error(error))
        return redirect("account_signup")


def _render(request: HttpRequest, pending: PendingSignup, form: CodeForm) -> HttpResponse:
    context = {"verify_form": form, "email": pending.email}
    return render(request, "account/confirm_email_verification_code.html", context)


def _confirm(request: HttpRequest, pending: PendingSignup, code: str) -> HttpResponse:
    social = pending.find_social_login()

    def sign_up(email: str) -> User:
        assert social is not None
        return sign_up_by_github(request, social, email)

    made = confirm_by_code(
        request_id=pending.pk,
        code=code,
        at=timezone.now(),
        address=find_ip(request),
        sign_up=sign_up if social else None,
    )
    forget_pending(request)
    response: HttpResponse
    if social is not None:
        response = complete_social_signup(request, social)
    else:
        response = complete_signup(request, made.user, None, pending.next or None)
    if made.key is not None:
        set_new_key_cookie(response, made.key.raw, user=made.user)
    return response
