"""The team page: members, roles and invitations."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.error_messages import translate_error
from core.errors import DomainError, NotFound
from customers import roles, selectors
from customers.access import find_origin, may_manage, member_page
from customers.forms import InviteForm, KeysForm, RoleForm
from customers.models import Membership
from customers.services.change_role import NotPermitted
from customers.services.change_role import change_role as change_role_service
from customers.services.end_access import EndedAccess, KeyChoice
from customers.services.invite_member import invite_member, resend_invitation, revoke_invitation
from customers.services.remove_member import remove_member
from customers.services.transfer_ownership import transfer_ownership


def _handle_domain_errors(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Show domain errors on the team page. NotFound becomes 404, NotPermitted 403."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except NotPermitted as error:
            raise PermissionDenied from error
        except DomainError as error:
            messages.error(request, translate_error(error))
            return redirect("team")

    return wrapped


@require_GET
@member_page()
def show_team(request: HttpRequest, membership: Membership) -> HttpResponse:
    return _render(request, membership, InviteForm(by=membership) if membership.may_manage else None)


@require_POST
@member_page(may=may_manage)
@_handle_domain_errors
def invite(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = InviteForm(request.POST, by=membership)
    if not form.is_valid():
        return _render(request, membership, form, status=422)
    sent = form.cleaned_data
    invite_member(customer=membership.customer, **sent, **_get_action_arguments(request, membership))
    messages.success(request, _("An invitation was sent to %(email)s.") % sent)
    return redirect("team")


@require_POST
@member_page(may=may_manage)
@_handle_domain_errors
def change_role(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    theirs = _find_member(membership, pk)
    form = RoleForm(request.POST, by=membership)
    if not form.is_valid():
        raise PermissionDenied
    ended = change_role_service(
        membership=theirs,
        role=form.cleaned_data["role"],
        keys=_read_choice(request, default=KeyChoice.KEEP),
        actor=membership.user,
        **_get_action_arguments(request, membership),
    )
    messages.success(request, _("The role of %(email)s was changed.") % {"email": theirs.user.email})
    _report_ended_access(request, ended)
    return redirect("team")


@require_POST
@member_page(may=may_manage)
@_handle_domain_errors
def remove(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    theirs = _find_member(membership, pk)
    ended = _remove(request, membership, theirs)
    messages.success(request, _("%(email)s was removed from the account.") % {"email": theirs.user.email})
    _report_ended_access(request, ended)
    return redirect("team")


@require_POST
@member_page()
@_handle_domain_errors
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    customer = membership.customer
    ended = _remove(request, membership, membership)
    messages.success(request, _("You have left %(customer)s.") % {"customer": customer.name})
    _report_ended_access(request, ended)
    return redirect("dashboard")


@require_POST
@member_page(may=lambda membership: roles.may_transfer(membership.role))
@_handle_domain_errors
def transfer(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    theirs = _find_member(membership, pk)
    ended = transfer_ownership(to=theirs, **_get_action_arguments(request, membership))
    messages.success(
        request,
        _("%(email)s is now the owner of the account. You are an admin.") % {"email": theirs.user.email},
    )
    _report_ended_access(request, ended)
    return redirect("team")


@require_POST
@member_page(may=may_manage)
@_handle_domain_errors
def resend(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    invitation = get_object_or_404(membership.customer.invitations, pk=pk)
    resend_invitation(invitation=invitation, **_get_action_arguments(request, membership))
    messages.success(request, _("A new link was sent to %(email)s.") % {"email": invitation.email})
    return redirect("team")


@require_POST
@member_page(may=may_manage)
@_handle_domain_errors
def revoke(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    invitation = get_object_or_404(membership.customer.invitations, pk=pk)
    revoke_invitation(invitation=invitation, **_get_action_arguments(request, membership))
    messages.success(request, _("The invitation of %(email)s was revoked.") % {"email": invitation.email})
    return redirect("team")


def _get_action_arguments(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    """Return a service's arguments for the actor, the time and the origin of the request."""
    return {"by": membership, "at": timezone.now(), **find_origin(request)}


def _remove(request: HttpRequest, membership: Membership, theirs: Membership) -> EndedAccess:
    return remove_member(
        membership=theirs,
        keys=_read_choice(request, default=KeyChoice.REVOKE),
        actor=membership.user,
        **_get_action_arguments(request, membership),
    )


def _read_choice(request: HttpRequest, *, default: KeyChoice) -> KeyChoice:
    """Return what happens to the person's keys. Raises PermissionDenied for an unknown value."""
    form = KeysForm(request.POST)
    if not form.is_valid():
        raise PermissionDenied
    chosen = form.cleaned_data["keys"]
    return KeyChoice(chosen) if chosen else default


def _report_ended_access(request: HttpRequest, ended: EndedAccess) -> None:
    """Show a message for everything that ended with a membership or role."""
    for count, one, many in (
        (
            ended.invitations,
            _("1 open invitation was revoked."),
            _("%(count)d open invitations were revoked."),
        ),
        (ended.keys_revoked, _("1 API key was revoked."), _("%(count)d API keys were revoked.")),
        (
            ended.keys_reassigned,
            _("1 API key was reassigned and still works."),
            _("%(count)d API keys were reassigned and still work."),
        ),
    ):
        if count:
            messages.info(request, one if count == 1 else many % {"count": count})


def _find_member(membership: Membership, pk: int) -> Membership:
    found: Membership = get_object_or_404(membership.customer.memberships.select_related("user"), pk=pk)
    return found


def _render(
    request: HttpRequest, membership: Membership, form: InviteForm | None, status: int = 200
) -> HttpResponse:
    members = selectors.list_members(customer=membership.customer, seen_by=membership)
    context = {
        "customer": membership.customer,
        "form": form,
        "members": members,
        "invitations": selectors.list_invitations(customer=membership.customer) if form else [],
        "is_last_owner": membership.role == roles.OWNER and sum(m.role == roles.OWNER for m in members) == 1,
        "meanings": roles.MEANINGS.items(),
    }
    return render(request, "customers/team.html", context, status=status)
