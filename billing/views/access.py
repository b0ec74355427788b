"""Who sees billing, and what a page says when Stripe is away."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import structlog
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone

from billing.services.subscriptions.record_plan_change import Author
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from core.error_messages import translate_error
from core.errors import DomainError, NotFound
from customers.access import find_origin, member_page
from customers.models import AuditLogEntry, Customer, Membership, User
from customers.services.record_audit_log_entry import record_audit_log_entry

log = structlog.get_logger(__name__)

P = ParamSpec("P")
BillingView = Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase]

RETRY_AFTER_SECONDS = 30


class Redirect303(HttpResponseRedirect):
    """303: what was posted is done, the page to look at is another."""

    status_code = 303


def redirect_303(to: str) -> Redirect303:
    return Redirect303(resolve_url(to))


def find_author(request: HttpRequest) -> Author:
    """The person who asks, for the audit log."""
    assert isinstance(request.user, User)
    return Author(request.user, **find_origin(request))


def record_action(
    request: HttpRequest, customer: Customer, action: AuditLogEntry.Action, subject: str
) -> None:
    """What a person did with the plan or the cap, in their customer's audit log."""
    assert isinstance(request.user, User)
    record_audit_log_entry(
        customer=customer,
        action=action,
        actor=request.user,
        subject=subject,
        at=timezone.now(),
        **find_origin(request),
    )


def billing_page(view: BillingView[P]) -> Callable[..., HttpResponseBase]:
    """A page for owners, admins and billing members: the view gets the customer after the request.

    Another member is told whom to ask (403). What is not there, or not theirs, is 404; a mistake of theirs is
    told on the overview; Stripe being away, or refusing, is told with the request's id (503).
    """

    def guarded(
        request: HttpRequest, membership: Membership, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        request.membership = membership  # type: ignore[attr-defined]
        if not membership.may_see_billing:
            return render(request, "billing/not_yours.html", status=403)
        try:
            return view(request, membership.customer, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, translate_error(error))
            return redirect_303("billing")
        except (StripeUnavailable, StripeRejected) as error:
            return render_stripe_error(request, error)

    return wraps(view)(member_page()(guarded))


def render_stripe_error(request: HttpRequest, error: StripeUnavailable | StripeRejected) -> HttpResponse:
    """The page that says that Stripe is away, or what it minds (503)."""
    is_refused = isinstance(error, StripeRejected)
    log.warning("billing_page_without_stripe", error=str(error), refused=is_refused)
    context = {"is_refused": is_refused, "reason": str(error) if is_refused else ""}
    response = render(request, "billing/stripe_error.html", context, status=503)
    if not is_refused:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
