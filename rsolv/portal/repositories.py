"""The customer's GitHub organizations and repositories, with the results of each."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.http.client_ip import get_client_ip
from core.http.user_agents import describe_browser
from customers.access import member_page
from customers.models import Membership
from customers.selectors import list_held_namespaces
from customers.services.namespace_claims import KeyOrigin
from customers.services.release_namespace import release_namespace
from phases.selectors.repositories import count_results, list_repositories

REPOSITORIES_SHOWN = 50


@require_safe
@member_page()
def show_repositories(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    found = list_repositories(customer=membership.customer)
    page = Paginator(found, REPOSITORIES_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": count_results(repositories=list(page.object_list)),
        "namespaces": list(list_held_namespaces(customer=membership.customer)),
        "may_manage": membership.may_manage,
    }
    return render(request, "portal/repositories.html", context)


@require_POST
@member_page(may=lambda membership: membership.may_manage)
def release_claim(request: HttpRequest, membership: Membership, claim_id: UUID) -> HttpResponseBase:
    """Release a provisional claim. Only staff release a proven one, because it protects the organization."""
    claim = list_held_namespaces(customer=membership.customer).filter(pk=claim_id, proven_at=None).first()
    if claim is None:
        raise Http404
    release_namespace(
        namespace=claim.namespace,
        forge=claim.forge,
        customer=membership.customer,
        by=membership.user,
        at=timezone.now(),
        origin=KeyOrigin(
            address=get_client_ip(request), device=describe_browser(request.headers.get("User-Agent", ""))
        ),
    )
    messages.success(request, _("%(name)s is released. You keep its results.") % {"name": claim})
    return redirect("repositories")
