"""A row of every model, with all columns filled and a recognizable text in each secret column."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from customers.models import Customer, User
from tests.factories import (
    BillingAccountFactory,
    MembershipFactory,
    RepositoryFactory,
    UsageRecordFactory,
    UserFactory,
)

# A text that no page may show. It is planted in the columns named here and in every text or JSON column.
MARK = "plantedsecret"
SECRETS: dict[str, tuple[str, ...]] = {
    "account.EmailConfirmation": ("key",),
    "customers.IdempotentAnswer": ("fingerprint", "body"),
    "billing.InboxEvent": ("payload",),
    "customers.ApiKey": ("key_hash",),
    "customers.Invitation": ("token_hash",),
    "customers.KnownDevice": ("fingerprint",),
    "customers.KeyInvalidation": ("key_hash",),
    "customers.User": ("password",),
    "djstripe.APIKey": ("secret",),
    "djstripe.BankAccount": ("fingerprint",),
    "djstripe.Card": ("fingerprint",),
    "djstripe.Event": ("idempotency_key",),
    "djstripe.WebhookEndpoint": ("secret",),
    "mfa.Authenticator": ("data",),
    "phases.PhaseExecution": ("data",),
    "provisioning.OutgoingMail": ("text", "html"),
    "sessions.Session": ("session_key", "session_data"),
    "socialaccount.SocialApp": ("secret", "key", "settings"),
    "socialaccount.SocialToken": ("token", "token_secret"),
    "usersessions.UserSession": ("session_key", "data"),
}
# Text columns that hold no secret.
PLAIN_TEXT = {
    ("admin.LogEntry", "object_id"),
    ("admin.LogEntry", "change_message"),
    ("djstripe.Customer", "email"),
    ("djstripe.Product", "name"),
    ("djstripe.ScheduledQueryRun", "title"),
}
# Models with a factory, because constraints relate their columns to each other.
MADE: dict[str, Callable[[], models.Model]] = {
    "customers.User": lambda: UserFactory(name="Alice"),
    "customers.Membership": MembershipFactory,
    "phases.Repository": RepositoryFactory,
    "phases.PhaseExecution": lambda: UsageRecordFactory().execution,
    "billing.UsageRecord": UsageRecordFactory,
    "billing.BillingAccount": BillingAccountFactory,
}
# Columns whose value is required by a constraint or a page.
GIVEN: dict[str, dict[str, Any]] = {
    "customers.KeyInvalidation": {"customer_id": None},
    "customers.RateLimit": {"plan": None},
    "mfa.Authenticator": {"type": "totp"},
    "socialaccount.SocialAccount": {"provider": "github"},
}


def list_secrets(model: type[models.Model]) -> list[Any]:
    """Return the secret columns of a model: those in SECRETS, and all text, JSON and binary columns."""
    named = SECRETS.get(model._meta.label, ())
    return [
        field
        for field in model._meta.concrete_fields
        if field.name in named
        or (
            isinstance(field, models.TextField | models.JSONField | models.BinaryField)
            and (model._meta.label, field.name) not in PLAIN_TEXT
        )
    ]


def make_row(model: type[models.Model]) -> models.Model:
    """Create a row, with the rows that it refers to if there are none yet, and plant its secrets."""
    label = model._meta.label
    made = MADE.get(label)
    row = made() if made else model._default_manager.model(**_fill(model))
    if not made:
        row.save()
    _plant(row)
    row.refresh_from_db()
    return row


def make_every_row() -> dict[type[models.Model], models.Model]:
    """Create a row of each model that has a table."""
    rows: dict[type[models.Model], models.Model] = {}
    for model in apps.get_models():
        if model._meta.label != "djstripe.UpcomingInvoice":  # dj-stripe keeps none
            rows[model] = make_row(model)
    return rows


def _fill(model: type[models.Model]) -> dict[str, Any]:
    values = dict(GIVEN.get(model._meta.label, {}))
    for field in model._meta.concrete_fields:
        if field.name in values or isinstance(field, models.AutoField) or field.has_default():
            continue
        if (
            not field.null
            and not getattr(field, "auto_now", False)
            and not getattr(field, "auto_now_add", False)
        ):
            values[field.name] = _invent(field)
    if model._meta.label == "customers.RateLimit":
        values["customer"] = Customer.objects.create(name="Limited", email=f"{uuid.uuid4()}@acme.test")
    return values


def _invent(field: Any) -> Any:
    if field.is_relation:
        target: Any = field.related_model
        if target is User:
            return UserFactory()
        found = None if field.unique else target._default_manager.first()
        return found or make_row(target)
    if field.choices:
        return list(field.flatchoices)[0][0]
    if isinstance(field, models.EmailField):
        return f"{uuid.uuid4()}@acme.test"
    if isinstance(field, models.DateTimeField):
        return timezone.now() + timedelta(days=1)
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, models.GenericIPAddressField):
        return "192.0.2.7"
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.DecimalField):
        return Decimal(1)
    if isinstance(field, models.IntegerField):
        return 1
    if isinstance(field, models.JSONField):
        return {}
    text = uuid.uuid4().hex
    return text[: field.max_length] if field.max_length else text


def _plant(row: models.Model) -> None:
    """Update without calling save(), which may hash or reject the value."""
    for number, field in enumerate(list_secrets(type(row))):
        text = f"{MARK}{number}-{uuid.uuid4().hex}"[: field.max_length or None]
        value: Any = text
        if isinstance(field, models.JSONField):
            value = {
                "client_secret": text,
                "secret": text,
                "object": {"client_secret": text},
                "id": str(row.pk),
            }
        if not (field.primary_key and field.name != "session_key"):
            _set(row, field.name, value)


def _set(row: models.Model, name: str, value: Any) -> None:
    manager = type(row)._base_manager
    if type(row)._meta.get_field(name).primary_key:
        manager.filter(pk=row.pk).update(**{name: value})
        row.pk = value
    else:
        manager.filter(pk=row.pk).update(**{name: value})
