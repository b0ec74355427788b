"""API keys: owners and admins create, rotate and revoke them; every member of the account sees the list."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from core.error_messages import translate_error
from core.errors import DomainError
from customers.access import find_origin, member_page
from customers.models import ApiKey, Membership, User
from customers.selectors import list_keys
from customers.services.change_role import NotPermitted
from customers.services.manage_keys import (
    NewApiKey,
    TooManyKeys,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from provisioning.key_reveal import delete_new_key_cookie, read_new_key_cookie, set_new_key_cookie

# Above the number of active keys that an account may have, so that all of those are on the first page.
KEYS_SHOWN = 100
EXPIRIES = (("", _("Never")), ("30", _("In 30 days")), ("90", _("In 90 days")), ("365", _("In a year")))
OVERLAPS = (("0", _("Now")), ("1", _("In 1 hour")), ("24", _("In 24 hours")), ("168", _("In 7 days")))


class NewKeyForm(forms.Form):
    name = forms.CharField(
        max_length=100, label=_("Name"), widget=forms.TextInput(attrs={"placeholder": _("CI of the shop")})
    )
    expires_in = forms.ChoiceField(choices=EXPIRIES, required=False, label=_("Expires"))

    def find_expiry(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["expires_in"]
        return now + timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(choices=OVERLAPS, label=_("The old key stops working"))


@dataclass(frozen=True)
class KeyRow:
    """A row of the list of keys. `state` is active, ending (being replaced), expired or revoked."""

    id: UUID
    name: str
    prefix: str
    state: str
    made_by: str
    created_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    expires_at: datetime | None
    is_replaced: bool

    @property
    def works(self) -> bool:
        return self.state in ("active", "ending")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def show_keys(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Show the list of keys and the form that creates one. A POST creates a key and shows it once."""
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        # Not for the decorator: every member may see the list.
        if not membership.may_manage:
            raise PermissionDenied
        if form.is_valid() and (new := _create(request, membership, form)):
            return _redirect_with_key(request, new)
    new_key, now = read_new_key_cookie(request, user=membership.user), timezone.now()
    page = Paginator(list_keys(customer=membership.customer), KEYS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "keys": [_to_row(key, now) for key in page.object_list],
        "form": form,
        "rotate_form": RotateForm(auto_id=False),
        "may_manage": membership.may_manage,
        "new_key": new_key,
    }
    response = render(request, "portal/keys.html", context, status=422 if form.errors else 200)
    if new_key:
        delete_new_key_cookie(response)
    return response


@require_POST
@member_page(may=lambda membership: membership.may_manage)
def rotate_key(request: HttpRequest, membership: Membership, key_id: UUID) -> HttpResponseBase:
    api_key = _find_key(membership, key_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose when the old key stops working."))
        return redirect("keys")
    try:
        new = rotate_api_key(
            api_key=api_key,
            overlap=timedelta(hours=int(form.cleaned_data["overlap"])),
            by=membership.user,
            at=timezone.now(),
            place=membership,
            **find_origin(request),
        )
    except NotPermitted as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, translate_error(error))
        return redirect("keys")
    return _redirect_with_key(request, new)


@require_POST
@member_page(may=lambda membership: membership.may_manage)
def revoke_key(request: HttpRequest, membership: Membership, key_id: UUID) -> HttpResponseBase:
    api_key = _find_key(membership, key_id)
    revoke_api_key(api_key=api_key, at=timezone.now(), by=membership.user, **find_origin(request))
    messages.success(request, _("The key is revoked. Requests with it are rejected from now on."))
    return redirect("keys")


def _create(request: HttpRequest, membership: Membership, form: NewKeyForm) -> NewApiKey | None:
    now = timezone.now()
    try:
        return create_api_key(
            customer=membership.customer,
            name=form.cleaned_data["name"],
            created_by=membership.user,
            expires_at=form.find_expiry(now),
            at=now,
            by=membership,
            **find_origin(request),
        )
    except NotPermitted as error:
        raise PermissionDenied from error
    except TooManyKeys as error:
        form.add_error(None, translate_error(error))
        return None


def _redirect_with_key(request: HttpRequest, new_key: NewApiKey) -> HttpResponseBase:
    assert isinstance(request.user, User)
    # A redirect, so that reloading the page creates no second key. The key travels in a cookie.
    response = redirect("keys")
    set_new_key_cookie(response, new_key.raw, user=request.user)
    return response


def _find_key(membership: Membership, key_id: UUID) -> ApiKey:
    api_key = (
        ApiKey.objects.select_related("customer").filter(customer=membership.customer, pk=key_id).first()
    )
    if api_key is None:
        raise Http404
    return api_key


def _to_row(key: ApiKey, now: datetime) -> KeyRow:
    state = "active"
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None:
        state = "expired" if key.expires_at <= now else "ending" if key.replaced_by_id else "active"
    return KeyRow(
        id=key.pk,
        name=key.name,
        prefix=key.prefix,
        state=state,
        made_by=key.created_by.email if key.created_by else "",
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        last_used_from=key.last_used_from,
        expires_at=key.expires_at,
        is_replaced=key.replaced_by_id is not None,
    )
