"""What every staff page shares."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin import ListFilter, SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.db import DataError, transaction
from django.db.models import AutoField, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from core.admin.audit import Change, get_staff_audit
from core.admin.recent_proof import ask_again, is_fresh
from core.admin.secrets import is_secret, list_secret_paths
from core.errors import DomainError

# What the filters of Django's admin put into the address, for a path that a page lists as a filter.
FILTER_LOOKUPS = (
    "",
    "__exact",
    "__isnull",
    "__isempty",
    "__gte",
    "__lt",
    "__in",
    "__id__exact",
    "__pk__exact",
)
DATE_LOOKUPS = ("__year", "__month", "__day", "__gte", "__lt")


class StaffChangeList(ChangeList):
    """A list whose address asks for dates that no database or calendar holds is shown without a filter."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        try:
            return super().get_queryset(request, exclude_parameters)
        except (OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:  # SQLite's adapter, and PostgreSQL itself
            raise IncorrectLookupParameters from error


class StaffAdmin(ModelAdmin):
    """A page of the staff admin. What it does not name is neither shown nor reachable.

    Columns that hold secrets or raw text are on no page; filters are those that the page lists; nothing is
    deleted from a list; a form's page asks first who is there; each change is written down with its customer.
    """

    # Large texts are read when one row is opened, not for every row of a list.
    deferred: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer(*self.deferred)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffChangeList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.fields:
            return self.fields
        shown = (field for field in self.model._meta.concrete_fields if not is_secret(field))
        return [field.name for field in shown if obj is not None or not _is_fixed(field)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What no form may set is shown as text."""
        fixed = {field.name for field in self.model._meta.concrete_fields if _is_fixed(field)}
        named = list(super().get_readonly_fields(request, obj))
        return [*named, *(name for name in self.get_fields(request, obj) if name in fixed - set(named))]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what this page's own filters ask for. Everything else is refused in the same way."""
        is_part_of_date = lookup.endswith(("__year", "__month", "__day"))
        return lookup in set(self._list_lookups()) and (not is_part_of_date or is_year(value))

    def _list_lookups(self) -> Iterator[str]:
        for each in self.list_filter:
            if isinstance(each, type) and issubclass(each, SimpleListFilter):
                yield str(each.parameter_name)
            else:
                yield from (f"{_get_path(each)}{lookup}" for lookup in FILTER_LOOKUPS)
        if self.date_hierarchy:
            yield from (f"{self.date_hierarchy}{lookup}" for lookup in DATE_LOOKUPS)

    def list_secret_paths(self) -> list[str]:
        """Secret columns that this page names by mistake; registering it fails then."""
        filters = (_get_path(each) for each in self.list_filter)
        orders = (
            getattr(getattr(self, str(each), None), "admin_order_field", "") for each in self.list_display
        )
        shown = (*(self.fields or ()), *flatten_fieldsets(self.fieldsets or ()), *self.readonly_fields)
        named = map(str, (*self.list_display, *self.search_fields, *shown, *(self.ordering or ())))
        paths = (*filters, *(str(each) for each in orders if each), *named, self.date_hierarchy or "")
        return list_secret_paths(self.model, paths) + [
            path for inline in self.inlines for path in _list_of_inline(inline)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The page's own actions, each recorded; rows are deleted one by one, each on its own page."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return {name: (self.record(func, words), name, words) for name, (func, _, words) in actions.items()}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self.model._meta.pk.clean(selected, None)
        return super().changelist_view(request, extra_context)

    def record(self, func: Callable[..., Any], words: str) -> Callable[..., Any]:
        """The action, with an entry for each row that it is run on, in one transaction."""

        @wraps(func)
        def run(page: StaffAdmin, request: HttpRequest, rows: QuerySet[Any]) -> Any:
            try:
                with transaction.atomic():
                    for row in rows:
                        page._record(Change.RAN_ACTION, row, str(words))
                    return func(page, request, rows)
            except DomainError as error:
                page.message_user(request, error.message, messages.ERROR)
                return None

        return run

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        may = self.has_add_permission if object_id is None else self.has_change_permission
        if may(request) and not is_fresh(request):
            return ask_again(request)  # before anything is typed
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            return self._refuse(request, error)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if self.has_delete_permission(request) and not is_fresh(request):
            return ask_again(request)
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            return self._refuse(request, error)

    def _refuse(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """A service said no: nothing was changed, and the page says why."""
        self.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        logged = super().log_addition(request, obj, message)
        self._record_change(Change.ADDED, obj)
        return logged

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        logged = super().log_change(request, obj, message)
        if message:
            self._record_change(Change.CHANGED, obj, logged.get_change_message())
        return logged

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(Change.DELETED, obj)
        return super().log_deletions(request, queryset)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audit = get_staff_audit()
        customer, subject = audit.find_customer(obj), self._describe(obj)
        super().delete_model(request, obj)
        audit.record_for_customer(customer=customer, subject=subject, detail=Change.DELETED)

    def _record_change(self, change: Change, obj: Any, detail: str = "") -> None:
        self._record(change, obj, detail)
        audit = get_staff_audit()
        audit.record_for_customer(
            customer=audit.find_customer(obj), subject=self._describe(obj), detail=detail or change
        )

    def _record(self, change: Change, obj: Any, detail: str = "") -> None:
        audit = get_staff_audit()
        audit.record(change, customer=audit.find_customer(obj), subject=self._describe(obj), detail=detail)

    def _describe(self, obj: Any) -> str:
        return f"{self.model._meta.verbose_name} {obj}"


class ReadOnly:
    """For what staff may look at and nobody may edit by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, StaffAdmin):
    pass


def is_year(value: Any) -> bool:
    """Whether the value is a number from 1 to 9999, as years, months and days are."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) > 0


def _list_of_inline(inline: Any) -> list[str]:
    """Secret columns of rows inside another page; one that lists no fields would show them all."""
    return list_secret_paths(inline.model, inline.fields) if inline.fields else [f"{inline.__name__}.*"]


def _is_fixed(field: Any) -> bool:
    return not field.editable or isinstance(field, AutoField)


def _get_path(each: Any) -> str:
    """The path of an entry of `list_filter`; empty for one that is a filter of its own."""
    if isinstance(each, type) and issubclass(each, ListFilter):
        return ""
    return str(each[0] if isinstance(each, list | tuple) else each)
