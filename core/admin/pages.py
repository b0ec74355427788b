"""Base classes of all staff admin pages."""

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
from core.admin.reauthentication import is_recently_authenticated, redirect_to_reauthentication
from core.admin.secrets import is_secret, list_secret_paths
from core.errors import DomainError

# Lookups that Django's list filters append to a field's path in the query string.
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
    """A change list that ignores date filters outside the range of Python or the database.

    Django would answer 500. Raising IncorrectLookupParameters makes it show the list without the filter.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        try:
            return super().get_queryset(request, exclude_parameters)
        except (OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:  # SQLite, PostgreSQL
            raise IncorrectLookupParameters from error


class StaffAdmin(ModelAdmin):
    """Base of the staff admin's pages: only the fields and filters that a page lists are reachable.

    Columns with secrets or raw text are never shown. Rows are deleted one at a time, never from a list. Every
    form requires recent reauthentication. Each change is recorded in the staff audit log with its customer.
    """

    # Large columns, loaded when a row is opened and not for each row of a list.
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
        """Show fields that a form cannot set (`editable=False`, automatic ids) as text."""
        fixed = {field.name for field in self.model._meta.concrete_fields if _is_fixed(field)}
        named = list(super().get_readonly_fields(request, obj))
        return [*named, *(name for name in self.get_fields(request, obj) if name in fixed - set(named))]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups of this page's own filters.

        Other lookups would let staff search columns that the page hides, one character at a time.
        """
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
        """Return the secret columns that this page names by mistake. Registering the page fails then."""
        filters = (_get_path(each) for each in self.list_filter)
        orders = (
            getattr(getattr(self, str(each), None), "admin_order_field", "") for each in self.list_display
        )
        shown = (*(self.fields or ()), *flatten_fieldsets(self.fieldsets or ()), *self.readonly_fields)
        named = map(str, (*self.list_display, *self.search_fields, *shown, *(self.ordering or ())))
        paths = (*filters, *(str(each) for each in orders if each), *named, self.date_hierarchy or "")
        return list_secret_paths(self.model, paths) + [
            path for inline in self.inlines for path in _list_inline_secret_paths(inline)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the page's own actions, each wrapped so that it is recorded, without bulk deletion."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return {name: (self.record(func, words), name, words) for name, (func, _, words) in actions.items()}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
            # Raises ValidationError for an id of the wrong format, which the staff site answers with 400.
            self.model._meta.pk.clean(selected, None)
        return super().changelist_view(request, extra_context)

    def record(self, func: Callable[..., Any], words: str) -> Callable[..., Any]:
        """Wrap an action so that each selected row gets an audit entry in the same transaction.

        A DomainError is shown as a message; nothing is changed or recorded then.
        """

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
        has_permission = self.has_add_permission if object_id is None else self.has_change_permission
        if has_permission(request) and not is_recently_authenticated(request):
            return redirect_to_reauthentication(
                request
            )  # before the form is shown: typed values would be lost
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            return self._show_error(request, error)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if self.has_delete_permission(request) and not is_recently_authenticated(request):
            return redirect_to_reauthentication(request)
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            return self._show_error(request, error)

    def _show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """Show why a service rejected the change. Nothing was changed."""
        self.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        logged = super().log_addition(request, obj, message)
        self._record_change(Change.ADDED, obj)
        return logged

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        logged = super().log_change(request, obj, message)
        if message:
            # Django also logs a form that was saved without a change, with an empty message.
            self._record_change(Change.CHANGED, obj, logged.get_change_message())
        return logged

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(Change.DELETED, obj)
        return super().log_deletions(request, queryset)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audit = get_staff_audit()
        # Read before the deletion, which clears the row's id.
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
    """Mixin for rows that staff may view and nobody may add, edit or delete by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, StaffAdmin):
    pass


def is_year(value: Any) -> bool:
    """Return whether the value is a number from 1 to 9999. Also used for months and days."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) > 0


def _list_inline_secret_paths(inline: Any) -> list[str]:
    """Return an inline's secret columns.

    An inline without `fields` would show every column, so it is reported as `Name.*`.
    """
    return list_secret_paths(inline.model, inline.fields) if inline.fields else [f"{inline.__name__}.*"]


def _is_fixed(field: Any) -> bool:
    return not field.editable or isinstance(field, AutoField)


def _get_path(each: Any) -> str:
    """Return the path of an entry of `list_filter`, or "" if the entry is a filter class."""
    if isinstance(each, type) and issubclass(each, ListFilter):
        return ""
    return str(each[0] if isinstance(each, list | tuple) else each)
