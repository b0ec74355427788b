"""Billing notifications in the admin."""

from django.contrib import admin

from billing.models import Notification
from core.admin.pages import ReadOnlyAdmin
from core.outbox.admin import OutboxFilter, RetryMixin


@admin.register(Notification)
class NotificationAdmin(RetryMixin, ReadOnlyAdmin):
    list_display = ("customer", "kind", "reference", "created_at", "mailed_at", "attempts", "last_error")
    list_filter = (OutboxFilter, "kind", ("mailed_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "reference", "last_error")
    date_hierarchy = "created_at"
    actions = ("retry_now",)
