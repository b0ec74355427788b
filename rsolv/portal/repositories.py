"""The customer's repositories and what came of each."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.access import member_page
from customers.models import Membership
from phases.selectors import count_found, list_repositories

REPOSITORIES_SHOWN = 50


@require_safe
@member_page()
def show_repositories(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    found = list_repositories(customer=membership.customer)
    page = Paginator(found, REPOSITORIES_SHOWN).get_page(request.GET.get("page"))
    context = {"page": page, "rows": count_found(repositories=list(page.object_list))}
    return render(request, "portal/repositories.html", context)
