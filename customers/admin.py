"""Staff's view of people, customers and keys."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from customers import services
from customers.models import ApiKey, Customer, ForgeAccount, Membership, User
from rsolv.admin import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a customer must not lose its owner: switch the person off instead


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
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
    readonly_fields = ("id", "created_at")
    date_hierarchy = "created_at"
    inlines = (MembershipInline,)

    @admin.display(ordering="billing_account__plan")
    def plan(self, customer: Customer) -> str:
        account = getattr(customer, "billing_account", None)
        return account.get_plan_display() if account else "-"

    @admin.display(ordering="billing_account__status")
    def status(self, customer: Customer) -> str:
        account = getattr(customer, "billing_account", None)
        return account.get_status_display() if account else "-"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a customer's ledger outlives it


@admin.register(Membership)
class MembershipAdmin(ModelAdmin):
    list_display = ("user", "customer", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "customer__name", "customer__email")
    autocomplete_fields = ("user", "customer")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Keys are made where their owner can see them once; here they are looked at, renamed and revoked."""

    list_display = ("prefix", "name", "customer", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at", "last_used_at")
    list_select_related = ("customer",)
    search_fields = ("prefix", "name", "customer__name", "customer__email")
    fields = (
        "customer",
        "name",
        "prefix",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    readonly_fields = ("customer", "prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description="Revoke: the next request with the key is refused", permissions=("change",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        now = timezone.now()
        for api_key in queryset:
            services.revoke_api_key(api_key=api_key, at=now)
        self.message_user(request, f"{len(queryset)} keys revoked.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ForgeAccount)
class ForgeAccountAdmin(ReadOnlyAdmin):
    list_display = ("namespace", "forge", "customer", "claimed_at")
    list_filter = ("forge", "claimed_at")
    list_select_related = ("customer",)
    search_fields = ("namespace", "customer__name", "customer__email")
