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
# Django's admin raises these for malformed ids and dates in a URL or a form.
MALFORMED = (ValidationError, OverflowError, DataError)


class StaffSite(UnfoldAdminSite):
    """The admin site of staff: one access check for every page, and only our own pages.

    A page opens for active staff who logged in with two steps, in a session that is neither too old nor idle.
    A change requires recent authentication and is recorded as an action of that user. Source:
    docs/decisions/021.
    """

    index_template = "staff/index.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register a page, or ignore it if it is not a StaffAdmin, such as a third party's.

        Raises ImproperlyConfigured for a page that lists, filters by or searches a secret column.
        """
        if admin_class is None or not issubclass(admin_class, StaffAdmin):
            return
        super().register(model_or_iterable, admin_class, **options)
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        for model in models:
            if paths := self._registry[model].list_secret_paths():
                raise ImproperlyConfigured(f"{admin_class.__name__}: staff would reach {', '.join(paths)}")

    def has_permission(self, request: HttpRequest) -> bool:
        return access.find_missing_requirement(request) is None

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The front page: work that waits for staff, then every page that the user may open."""

        def may_view(model: type[Model]) -> bool:
            page = self._registry.get(model)
            return page is not None and page.has_view_permission(request)

        context = {"work": list_work(may_view=may_view)} | (extra_context or {})
        answer: TemplateResponse = super().index(request, context)
        return answer

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        inner: View = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if (missing := access.find_missing_requirement(request)) is not None:
                return access.redirect_to_fulfill(missing, request)
            _resolve_suspended(request)
            access.record_visit(request)
            try:
                # Logging out never requires reauthentication.
                if request.method in SAFE_METHODS or view == self.logout:
                    return _render(inner(request, *args, **kwargs))
                if not is_recently_authenticated(request):
                    return redirect_to_reauthentication(request)
                return _run_as_staff(request, lambda: _render(inner(request, *args, **kwargs)))
            except MALFORMED as error:
                raise BadRequest("An id or a date in the request is malformed.") from error

        guarded.__name__ = getattr(view, "__name__", "view")
        # Keep the attributes that Django's decorators set, such as csrf_exempt.
        guarded.__dict__.update(inner.__dict__)
        return guarded

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the product's own login, with its rate limits and second step."""
        answer: HttpResponse = secure_admin_login(lambda request: redirect("admin:index"))(request)
        return answer

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Search the pages by name. Unlike Unfold's search it caches nothing: permissions differ by user."""
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
    """Render inside the view, because rendering a form may raise one of MALFORMED for ids in the request."""
    return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer


def _resolve_suspended(request: HttpRequest) -> None:
    """Resolve the URL again for a request that was suspended and is replayed by another view."""
    if request.resolver_match is None or request.resolver_match.namespace != "admin":
        request.resolver_match = resolve(request.path_info)


def _run_as_staff(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a view that may change something, attributed to the staff user.

    If the view redirects without having recorded an action, an entry with its URL is recorded.
    """
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
