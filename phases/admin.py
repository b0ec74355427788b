"""Staff's view of what the Action stored. It is the customer's word: looked at, never edited."""

from django.contrib import admin

from phases.models import PhaseExecution, Repository
from rsolv.admin import ReadOnlyAdmin


@admin.register(Repository)
class RepositoryAdmin(ReadOnlyAdmin):
    list_display = ("full_name", "customer", "first_seen_at")
    list_filter = ("first_seen_at",)
    list_select_related = ("forge_account__customer",)
    search_fields = ("name", "forge_account__namespace", "forge_account__customer__name")

    @admin.display(ordering="forge_account__customer__name")
    def customer(self, repository: Repository) -> str:
        return repository.forge_account.customer.name


@admin.register(PhaseExecution)
class PhaseExecutionAdmin(ReadOnlyAdmin):
    list_display = (
        "phase",
        "outcome",
        "repository",
        "issue_number",
        "customer",
        "updated_at",
        "announced_at",
    )
    list_filter = ("phase", "outcome", "updated_at")
    list_select_related = ("repository__forge_account", "customer")
    search_fields = ("commit_sha", "=issue_number", "repository__name", "customer__name", "customer__email")
    date_hierarchy = "updated_at"
    deferred = ("data",)
