"""Staff admin page of the customers' audit logs."""

from django.contrib import admin

from core.admin.pages import ReadOnlyAdmin
from customers.models import AuditLogEntry


@admin.register(AuditLogEntry)
class AuditLogEntryAdmin(ReadOnlyAdmin):
    """Read-only, for staff as well: the audit log is append-only."""

    list_display = ("at", "action", "actor_name", "subject", "customer", "address")
    list_filter = ("action", "at")
    list_select_related = ("customer",)
    search_fields = ("actor_name", "subject", "customer__name", "customer__email")
    date_hierarchy = "at"
