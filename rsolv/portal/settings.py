"""Settings: profile, company name, mail preferences, data export, and closing the account."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.selectors.entitlements import get_entitlement
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.views.access import render_stripe_error
from core.error_messages import translate_error
from core.errors import DomainError
from customers.access import find_origin, may_manage, member_page
from customers.models import Membership
from customers.services.change_settings import change_profile as change_profile_service
from customers.services.change_settings import choose_mail as choose_mail_service
from customers.services.change_settings import rename_customer
from provisioning.services.close_account import close_account
from provisioning.services.export_data import export_data

from .storage import show_storage
from .time_zone import list_time_zones
from .widgets import LongSelect


class ProfileForm(forms.Form):
    name = forms.CharField(
        max_length=150,
        required=False,
        label=_("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        required=False,
        label=_("Time zone"),
        help_text=_("Dates and times are shown in this time zone."),
        widget=LongSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not in the class: listing the zones is slow, and commands that show no page import this module too.
        self.fields["time_zone"].choices = [("", "UTC"), *((name, name) for name in list_time_zones())]  # type: ignore[attr-defined]


class CompanyForm(forms.Form):
    company = forms.CharField(
        max_length=200, label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )


class MailForm(forms.Form):
    wants_alerts = forms.BooleanField(
        required=False, label=_("Usage: the included fixes or the spend cap are nearly used up")
    )
    wants_guidance = forms.BooleanField(required=False, label=_("Guidance in the first week"))


class CloseForm(forms.Form):
    """Confirmation by typing the account's name. Case and spaces do not matter."""

    confirmation = forms.CharField(
        max_length=200, label=_("The account's name"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if " ".join(typed.split()).casefold() != " ".join(self.name.split()).casefold():
            raise forms.ValidationError(_("This is not the account's name."))
        return typed


def owns(membership: Membership) -> bool:
    return membership.role == Membership.Role.OWNER


@require_safe
@member_page()
def show_settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    return _render(request, membership)


@require_POST
@member_page()
def change_profile(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _render(request, membership, profile=form)
    change_profile_service(
        user=membership.user, **form.cleaned_data, at=timezone.now(), **find_origin(request)
    )
    return _redirect_saved(request)


@require_POST
@member_page(may=may_manage)
def rename_company(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = CompanyForm(request.POST)
    if not form.is_valid():
        return _render(request, membership, company=form)
    rename_customer(
        customer=membership.customer,
        name=form.cleaned_data["company"],
        by=membership.user,
        at=timezone.now(),
        **find_origin(request),
    )
    return _redirect_saved(request)


@require_POST
@member_page(may=lambda membership: membership.may_see_billing)
def choose_mail(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = MailForm(request.POST)
    form.is_valid()
    # For cleaned_data only: a checkbox is never invalid.
    choose_mail_service(membership=membership, **form.cleaned_data, at=timezone.now(), **find_origin(request))
    return _redirect_saved(request)


@require_POST
@member_page(may=may_manage)
def export(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    customer, now = membership.customer, timezone.now()
    pieces = export_data(customer=customer, by=membership.user, at=now, **find_origin(request))
    response = StreamingHttpResponse(pieces, content_type="application/json")
    name = f"rsolv-{slugify(customer.name) or 'account'}-{now:%Y-%m-%d}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(may=owns)
def close(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    customer = membership.customer
    form = CloseForm(request.POST if request.method == "POST" else None, name=customer.name)
    if form.is_bound and form.is_valid():
        try:
            close_account(customer=customer, by=membership.user, at=timezone.now(), **find_origin(request))
        except DomainError as error:
            form.add_error(None, translate_error(error))
        except (StripeUnavailable, StripeRejected) as error:
            return render_stripe_error(request, error)
        else:
            messages.success(request, _("The account is closed. You receive a confirmation by email."))
            # Without an account, the overview shows the page that can create one.
            return redirect("dashboard")
    context = {"form": form, "customer": customer, "entitlement": get_entitlement(customer=customer)}
    return render(request, "portal/close.html", context, status=422 if form.errors else 200)


def _redirect_saved(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect("settings")


def _render(request: HttpRequest, membership: Membership, **forms_sent: forms.Form) -> HttpResponse:
    """Render the page. An invalid form in `forms_sent` replaces the fresh one, and the status is 422."""
    user, customer = membership.user, membership.customer
    choices = {name: getattr(membership, name) for name in MailForm.base_fields}
    context = {
        "customer": customer,
        "profile": ProfileForm(initial={"name": user.name, "time_zone": user.time_zone}),
        "company": CompanyForm(initial={"company": customer.name}) if membership.may_manage else None,
        "mail": MailForm(initial=choices) if membership.may_see_billing else None,
        "is_owner": owns(membership),
        "storage": show_storage(customer),
    }
    return render(request, "portal/settings.html", context | forms_sent, status=422 if forms_sent else 200)
