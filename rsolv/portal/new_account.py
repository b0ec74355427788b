"""Create an account for a person who has none, for example because their account was closed."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.api.errors import RateLimited
from core.api.throttling import find_address
from core.error_messages import translate_error
from core.errors import DomainError
from customers.models import User
from customers.selectors import get_membership
from provisioning.key_reveal import set_new_key_cookie
from provisioning.limits import count_signup
from provisioning.services.provision_customer import provision_customer
from provisioning.services.request_signup import InvalidCompanyName, check_name


class NewAccountForm(forms.Form):
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


def show_no_account(request: HttpRequest, form: Any = None) -> HttpResponse:
    """Show the page that a person without an account sees instead of the overview."""
    status = 422 if form else 200
    return render(request, "portal/no_account.html", {"form": form or NewAccountForm()}, status=status)


@require_POST
@login_required
@never_cache
def start_account(request: HttpRequest) -> HttpResponse:
    """Create an account for the confirmed email address of the login, and show its first API key once."""
    assert isinstance(request.user, User)
    form = NewAccountForm(request.POST)
    if not form.is_valid():
        return show_no_account(request, form)
    try:
        made = _start(request, request.user, form.cleaned_data["name"])
    except (RateLimited, DomainError) as error:
        form.add_error(None, translate_error(error))
        return show_no_account(request, form)
    response = redirect("dashboard")
    if made is not None:
        set_new_key_cookie(response, made.key.raw, user=request.user)
    return response


@transaction.atomic
def _start(request: HttpRequest, user: User, name: str) -> Any:
    """Create the account in one transaction. Return None if the person has one: the form was sent twice."""
    # Of a form sent twice, the second request waits here, and then finds the account of the first.
    User.objects.select_for_update().get(pk=user.pk)
    if get_membership(user) is not None:
        return None
    # After the check, so that a form sent twice counts once.
    count_signup(email=user.email, address=find_address(request))
    return provision_customer(name=name, email=user.email, user=user, at=timezone.now())
