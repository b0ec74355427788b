"""dj-stripe's own pages."""

from django.contrib import admin
from django.http import HttpRequest

from rsolv.admin import ReadOnly


def guard_stripe_mirror() -> None:
    """dj-stripe's own pages mirror Stripe: they are looked at here, and changed there."""
    for model, model_admin in list(admin.site._registry.items()):
        if model._meta.app_label == "djstripe":
            name = f"ReadOnly{type(model_admin).__name__}"
            admin.site.unregister(model)
            admin.site.register(
                model, type(name, (ReadOnly, type(model_admin)), {"get_actions": _no_actions})
            )


def _no_actions(self: object, request: HttpRequest) -> dict[str, object]:
    return {}
