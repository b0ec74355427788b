from django.contrib import admin

from core.admin.pages import ReadOnlyAdmin
from customers.models import IdempotentAnswer


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnlyAdmin):
    list_display = ("key", "customer", "status_code", "started_at")
    list_filter = ("status_code", "started_at")
    list_select_related = ("customer",)
    deferred = ("body",)
    search_fields = ("key", "customer__name", "customer__email")
