"""The site of the staff admin."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.core.exceptions import BadRequest, ImproperlyConfigured, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import resolve
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from core.admin.pages import StaffAdmin
from core.admin.reauthentication import is_recently_authenticated, redirect_to_reauthentication
from core.admin.work_queue import list_work
from core.http.client_ip import get_client_ip
from core.http.suspended_request import SAFE_METHODS
from core.http.user_agents import describe_browser
from customers.acting_staff import act_as_staff
from customers.models import StaffAction
from customers.services.record_staff_action import record_staff_action

from . import access

View = Callable[..., HttpResponse]
# What Django's admin raises for ids and dates that no form of its own has sent.
MALFORMED = (ValidationError, OverflowError, DataError)


class StaffSite(UnfoldAdminSite):
    """Every page is behind the same gate, and only pages of ours are registered.

    A page opens for active staff who logged in with two steps, in a session that is neither old nor idle.
    What changes something asks again who they are, and is done in the name of that member of staff.
    """

    index_template = "staff/index.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take pages that are a StaffAdmin. What a third party registers has no page until we write one."""
        if admin_class is None or not issubclass(admin_class, StaffAdmin):
            return
        super().register(model_or_iterable, admin_class, **options)
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        for model in models:
            if paths := self._registry[model].list_secret_paths():
                raise ImproperlyConfigured(f"{admin_class.__name__}: staff would reach {', '.join(paths)}")

    def has_permission(self, request: HttpRequest) -> bool:
        return access.find_barrier(request) is None

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The front page: what waits for a person, then every page that they may open."""

        def may_view(model: type[Model]) -> bool:
            page = self._registry.get(model)
            return page is not None and page.has_view_permission(request)

        context = {"work": list_work(may_view=may_view)} | (extra_context or {})
        answer: TemplateResponse = super().index(request, context)
        return answer

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        inner: View = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if (barrier := access.find_barrier(request)) is not None:
                return access.lead_past(barrier, request)
            _find_route_again(request)
            access.record_visit(request)
            try:
                if request.method in SAFE_METHODS or view == self.logout:  # ending a session never asks
                    return _render(inner(request, *args, **kwargs))
                if not is_recently_authenticated(request):
                    return redirect_to_reauthentication(request)
                return _change(request, lambda: _render(inner(request, *args, **kwargs)))
            except MALFORMED as error:
                raise BadRequest("An id or a date in the request is malformed.") from error

        guarded.__name__ = getattr(view, "__name__", "view")
        # The pages that Django exempts from anything stay so: the wrapped view's marks are kept.
        guarded.__dict__.update(inner.__dict__)
        return guarded

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The product's own login, with its limits and its second step; no password is taken here."""
        answer: HttpResponse = secure_admin_login(lambda request: redirect("admin:index"))(request)
        return answer

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Pages by name. What somebody may open is looked up each time and kept nowhere."""
        term = request.GET.get("s", "").lower()
        results = self._search_apps(self.get_app_list(request), term) if term else []
        pages = Paginator(results, 100)
        context = {
            "page_obj": pages,
            "results": pages.get_page(request.GET.get("page")),
            "page_counter": 0,
            "execution_time": 0,
            "command_show_history": False,
        }
        is_extended = "extended" in request.GET
        template = f"unfold/helpers/{'command' if is_extended else 'search'}_results.html"
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


def _render(answer: HttpResponse) -> HttpResponse:
    """Now, not after the view: a form looks its rows up by the ids that were sent while it is written out."""
    return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer


def _find_route_again(request: HttpRequest) -> None:
    """Give a request that waited for its person its own route again."""
    if request.resolver_match is None or request.resolver_match.namespace != "admin":
        request.resolver_match = resolve(request.path_info)


def _change(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a view that may change something, as the member of staff; what it did is always written down."""

    user: Any = request.user
    device = describe_browser(request.headers.get("User-Agent", ""))
    with act_as_staff(user=user, address=get_client_ip(request), device=device) as staff:
        answer = run()
        if not staff.recorded and isinstance(answer, HttpResponseRedirect) and request.user.is_authenticated:
            record_staff_action(
                action=StaffAction.Action.RAN_ACTION,
                subject=request.path,
                detail=request.POST.get("action", ""),
                at=timezone.now(),
            )
    return answer
