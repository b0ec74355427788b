"""What was done."""

from django.contrib import admin

from core.admin.pages import ReadOnlyAdmin
from customers.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Append-only: nobody edits it, staff neither."""

    list_display = ("at", "act", "actor_name", "subject", "customer", "address")
    list_filter = ("act", "at")
    list_select_related = ("customer",)
    search_fields = ("actor_name", "subject", "customer__name", "customer__email")
    date_hierarchy = "at"
