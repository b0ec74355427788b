"""Staff admin pages of customers, memberships and invitations."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline

from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from customers import selectors
from customers.models import Customer, Invitation, Membership
from customers.services.block_customer import block_customer, unblock_customer
from customers.services.change_by_staff import change_customer
from customers.services.change_role import LastOwner, change_role
from customers.services.remove_member import remove_member


class MembershipInline(TabularInline):
    """Read-only list of members. A membership is changed on its own page, which protects the last owner."""

    model = Membership
    extra = 0
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user", "customer")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Customer
        fields = ("name", "email")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        others = Customer.objects.filter(email__iexact=email, closed_at=None).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError("Another open account has this address.")
        return email


@admin.register(Customer)
class CustomerAdmin(StaffAdmin):
    """Edits name and address. Owners close accounts themselves; an action blocks all keys of a customer."""

    form = CustomerForm
    list_display = ("name", "email", "plan", "status", "created_at")
    list_filter = ("billing_account__plan", "billing_account__status", "created_at")
    list_select_related = ("billing_account",)
    search_fields = (
        "name",
        "email",
        "id",
        "forge_accounts__namespace",
        "billing_account__stripe_customer__id",
    )
    fields = (
        "id",
        "name",
        "email",
        "signup_source",
        "setup_hidden_at",
        "closed_at",
        "blocked_at",
        "blocked_reason",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name not in ("name", "email"))
    date_hierarchy = "created_at"
    inlines = (MembershipInline,)
    actions = ("block", "unblock")

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        change_customer(
            customer=obj,
            name=obj.name,
            email=obj.email,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # only signup and `provision_customer` create all that belongs to a customer

    @admin.action(description="Block: all of its API keys are rejected from now on", permissions=("change",))
    def block(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        now = timezone.now()
        with transaction.atomic():  # invalidates the key cache once for all
            for customer in queryset:
                block_customer(customer=customer, by=request.user, at=now)  # type: ignore[arg-type]
        self.message_user(request, f"{len(queryset)} customers blocked.", messages.SUCCESS)

    @admin.action(description="Unblock: their keys work again", permissions=("change",))
    def unblock(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        now = timezone.now()
        with transaction.atomic():
            for customer in queryset:
                unblock_customer(customer=customer, by=request.user, at=now)  # type: ignore[arg-type]
        self.message_user(request, f"{len(queryset)} customers unblocked.", messages.SUCCESS)

    @admin.display(ordering="billing_account__plan")
    def plan(self, customer: Customer) -> str:
        account = getattr(customer, "billing_account", None)
        return account.get_plan_display() if account else "-"

    @admin.display(ordering="billing_account__status")
    def status(self, customer: Customer) -> str:
        account = getattr(customer, "billing_account", None)
        return account.get_status_display() if account else "-"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the usage ledger must outlive the customer


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Membership
        fields = ("role",)

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        is_leaving = self.instance.pk and role != Membership.Role.OWNER
        if is_leaving and selectors.is_last_owner(Membership.objects.get(pk=self.instance.pk)):
            raise forms.ValidationError(LastOwner.message)
        return role


@admin.register(Membership)
class MembershipAdmin(StaffAdmin):
    """Changes go through services, which protect the last owner and write the customer's audit log."""

    form = MembershipForm
    list_display = ("user", "customer", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "customer__name", "customer__email")
    fields = ("customer", "user", "role")
    readonly_fields = ("customer", "user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people join only by accepting an invitation

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # members are changed one at a time, each with a confirmation

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not selectors.is_last_owner(obj))

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        change_role(membership=obj, role=obj.role, **_by_staff(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(membership=obj, **_by_staff(request))


def _by_staff(request: HttpRequest) -> dict[str, Any]:
    """Return a service's arguments for a change by staff.

    Their address stays out of the customer's audit log.
    """
    return {"by": None, "actor": request.user, "at": timezone.now(), "address": None}


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "customer", "role", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("role", "created_at")
    list_select_related = ("customer",)
    search_fields = ("email", "customer__name", "customer__email")
