"""What customers were told."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing import services
from billing.models import Notice
from core.admin.pages import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("customer", "kind", "reference", "created_at", "mailed_at", "attempts", "last_error")
    list_filter = ("kind", ("mailed_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "reference", "last_error")
    date_hierarchy = "created_at"
    actions = ("mail_again",)

    def has_mail_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_notice")

    @admin.action(description="Try the mails that were given up again", permissions=("mail",))
    def mail_again(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        for notice in queryset:
            services.mail_notice_again(notice_id=notice.pk, at=timezone.now())
        self.message_user(request, "Queued: the sweep mails them within a minute.", messages.SUCCESS)
