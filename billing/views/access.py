"""Access to billing pages, and their error pages when Stripe is unavailable or rejects a request."""

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
    """A 303 response: after a POST, the browser requests the next page by GET."""

    status_code = 303


def redirect_303(to: str) -> Redirect303:
    return Redirect303(resolve_url(to))


def find_author(request: HttpRequest) -> Author:
    """Return the user who makes the request, with address and device, for the audit log."""
    assert isinstance(request.user, User)
    return Author(request.user, **find_origin(request))


def record_action(
    request: HttpRequest, customer: Customer, action: AuditLogEntry.Action, subject: str
) -> None:
    """Record an action of the request's user in the customer's audit log."""
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
    """Restrict a page to owners, admins and billing members; pass the customer to the view.

    Other members get a page that says whom to ask (403). NotFound becomes 404. Another DomainError becomes a
    message on the billing overview. StripeUnavailable and StripeRejected become an error page with the
    request id (503).
    """

    def guarded(
        request: HttpRequest, membership: Membership, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        # The template tags of the layout read it from here instead of querying it again.
        request.membership = membership  # type: ignore[attr-defined]
        if not membership.may_see_billing:
            return render(request, "billing/no_billing_access.html", status=403)
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
    """Render the page that says that Stripe is unavailable, or why it rejected the request (503)."""
    is_rejected = isinstance(error, StripeRejected)
    log.warning("billing_page_without_stripe", error=str(error), rejected=is_rejected)
    context = {"is_rejected": is_rejected, "reason": str(error) if is_rejected else ""}
    response = render(request, "billing/stripe_error.html", context, status=503)
    if not is_rejected:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
