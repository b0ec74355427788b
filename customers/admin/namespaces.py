"""Staff admin page of claims on namespaces, with actions that prove and release them."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin
from core.errors import DomainError
from customers.models import ForgeAccount
from customers.services.prove_namespace import prove_namespace
from customers.services.release_namespace import release_namespace


@admin.register(ForgeAccount)
class ForgeAccountAdmin(ReadOnlyAdmin):
    """Read-only: both actions call services, which end competing claims and write the audit log."""

    list_display = ("namespace", "forge", "customer", "state", "claimed_at", "proven_at", "released_at")
    list_filter = (
        "forge",
        ("proven_at", admin.EmptyFieldListFilter),
        ("released_at", admin.EmptyFieldListFilter),
        "claimed_at",
    )
    list_select_related = ("customer",)
    search_fields = ("namespace", "customer__name", "customer__email")
    actions = ("prove", "release")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.change_forgeaccount")

    @admin.display(description="state")
    def state(self, claim: ForgeAccount) -> str:
        if not claim.is_held:
            return "Released"
        return "Proven" if claim.is_proven else "Provisional"

    @admin.action(
        description="Mark as proven: ends other customers' claims on the namespace", permissions=("decide",)
    )
    def prove(self, request: HttpRequest, queryset: QuerySet[ForgeAccount]) -> None:
        proven = 0
        for claim in queryset.select_related("customer"):
            try:
                prove_namespace(
                    customer=claim.customer,
                    namespace=claim.namespace,
                    forge=claim.forge,
                    by=request.user,  # type: ignore[arg-type]
                    at=timezone.now(),
                )
                proven += 1
            except DomainError as error:
                message = f"{claim} of {claim.customer}: {error.message}"
                self.message_user(request, message, messages.ERROR)
        self.message_user(request, f"{proven} proven.", messages.SUCCESS)

    @admin.action(description="Release: other customers may claim the namespace", permissions=("decide",))
    def release(self, request: HttpRequest, queryset: QuerySet[ForgeAccount]) -> None:
        released = 0
        for claim in queryset.select_related("customer"):
            released += release_namespace(
                customer=claim.customer,
                namespace=claim.namespace,
                forge=claim.forge,
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        self.message_user(request, f"{released} released.", messages.SUCCESS)
