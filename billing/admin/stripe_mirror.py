"""dj-stripe's mirror of Stripe in the admin: read-only, with an allowlist of columns.

dj-stripe's own admin pages are not used: they show whole objects with their client secrets, expose our secret
key through a property, and call Stripe. API keys (`APIKey`) and idempotency keys have no page.
"""

from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from djstripe import models as djstripe

from core.admin.pages import ReadOnlyAdmin

ALWAYS = ("id", "created", "livemode")
# Further columns of each model. A model that is not listed has no page.
COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    djstripe.Account: (),
    djstripe.AccountV2: (),
    djstripe.ActiveEntitlement: (),
    djstripe.ApplicationFee: ("charge",),
    djstripe.ApplicationFeeRefund: ("fee",),
    djstripe.BalanceTransaction: ("type", "amount", "currency"),
    djstripe.BankAccount: (),
    djstripe.Card: (),
    djstripe.Charge: ("customer", "status", "amount", "currency", "invoice", "payment_intent"),
    djstripe.Coupon: (),
    djstripe.Customer: ("subscriber", "email", "date_purged"),
    djstripe.Discount: ("customer", "subscription", "invoice"),
    djstripe.Dispute: ("charge", "payment_intent"),
    djstripe.Event: ("type", "api_version", "request_id"),
    djstripe.Feature: (),
    djstripe.File: (),
    djstripe.FileLink: ("file",),
    djstripe.Invoice: ("customer", "subscription", "charge", "payment_intent"),
    djstripe.LineItem: ("invoice_item", "subscription"),
    djstripe.Mandate: ("payment_method",),
    djstripe.PaymentIntent: ("customer",),
    djstripe.PaymentMethod: ("customer",),
    djstripe.Payout: ("currency",),
    djstripe.Price: ("product", "lookup_key", "nickname", "active", "currency"),
    djstripe.Product: ("name", "active"),
    djstripe.ProductFeature: ("product",),
    djstripe.PromotionCode: (),
    djstripe.Refund: ("charge", "amount", "currency"),
    djstripe.Session: ("customer", "subscription"),
    djstripe.SetupIntent: ("customer",),
    djstripe.ShippingRate: (),
    djstripe.Subscription: ("customer",),
    djstripe.SubscriptionSchedule: ("customer", "subscription", "status", "end_behavior"),
    djstripe.TaxCode: (),
    djstripe.TaxRate: (),
    djstripe.Transfer: (),
    djstripe.TransferReversal: ("transfer",),
    djstripe.WebhookEndpoint: ("url", "status", "api_version", "djstripe_validation_method"),
}
SEARCHED = {djstripe.Customer: ("email",), djstripe.Product: ("name",), djstripe.Price: ("lookup_key",)}


class StripeMirrorAdmin(ReadOnlyAdmin):
    """A page of a dj-stripe model. Objects are named by id: dj-stripe's names contain secret links."""

    list_filter = ("created", "livemode")
    ordering = ("-created",)
    show_full_result_count = False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found: Any = super().get_object(request, object_id, from_field)
        if found is not None:
            model: Any = type(found)
            found.__class__ = _name_by_id(model)
        return found


@cache
def _name_by_id(model: type[models.Model]) -> type[models.Model]:
    """Return a subclass of the model that is named by its id.

    It is built with `type.__new__`, so that Django does not register it as another model.
    """
    metaclass: Any = type(model)
    names = {"__str__": lambda row: str(row.id), "__module__": __name__}
    named: type[models.Model] = type.__new__(metaclass, model.__name__, (model,), names)
    return named


@admin.register(djstripe.WebhookEventTrigger)
class WebhookEventTriggerAdmin(ReadOnlyAdmin):
    """Deliveries of webhooks and whether their signature was valid, without headers and bodies."""

    list_display = ("created", "remote_ip", "valid", "processed", "updated")
    list_filter = ("created", "valid", "processed")
    fields = ("created", "remote_ip", "valid", "processed", "djstripe_version", "updated")


def register_stripe_mirror() -> None:
    """Register an admin page for each model of `COLUMNS`."""
    for model, columns in COLUMNS.items():
        shown = ALWAYS + columns
        names = {
            # A relation is shown by its id column: the related object's name may contain a secret link.
            "list_display": tuple(f"{name}_id" if _is_relation(model, name) else name for name in shown),
            "search_fields": ("id", *SEARCHED.get(model, ())),
        }
        page = type(
            f"{model.__name__}MirrorAdmin",
            (StripeMirrorAdmin,),
            names | {"fields": names["list_display"], "readonly_fields": names["list_display"]},
        )
        admin.site.register(model, page)


def _is_relation(model: type[models.Model], name: str) -> bool:
    return bool(model._meta.get_field(name).is_relation)


register_stripe_mirror()
