import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import SubscriptionRequest, UsageReport
from customers.models import (
    ApiKey,
    Customer,
    ForgeAccount,
    IdempotentAnswer,
    Invitation,
    KeyInvalidation,
    KnownDevice,
    RateLimit,
    StaffAction,
    User,
)
from customers.services.manage_keys import create_api_key
from phases.models import StorageUse
from tests.billing.admin.rows import make_each
from tests.factories import (
    BillingAccountFactory,
    MembershipFactory,
    UsageRecordFactory,
    UserFactory,
)
from tests.outbox import park
from tests.staff import make_staff, open_staff_browser

OURS = ("customers", "phases", "billing")


def list_our_models():
    return [model for model in admin.site._registry if model._meta.app_label in OURS]


@pytest.fixture
def one_of_each(db):
    usage = UsageRecordFactory()
    UsageReport.objects.create(usage=usage, customer=usage.customer)
    account = BillingAccountFactory(customer=usage.customer)
    SubscriptionRequest.objects.create(account=account, requested_at=timezone.now())
    MembershipFactory(customer=usage.customer)
    create_api_key(customer=usage.customer, name="key")
    Invitation.objects.create(
        customer=usage.customer, email="a@acme.test", token_hash="h", expires_at=timezone.now()
    )
    KeyInvalidation.objects.create(key_hash="h")
    RateLimit.objects.create(plan="teams", requests_per_minute=1000)
    KnownDevice.objects.create(user=UserFactory(), fingerprint="f")
    IdempotentAnswer.objects.create(customer=usage.customer, key="k", fingerprint="f")
    StorageUse.objects.create(customer=usage.customer)
    StaffAction.objects.create(staff_name="sam", action="logged_in")
    make_each(usage)


@pytest.mark.parametrize("model", list_our_models(), ids=lambda model: model.__name__)
class TestStaffPages:
    def test_list_can_be_searched_and_a_row_opens(self, staff, one_of_each, model):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
        row = model.objects.first()
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


LISTS_WITH_DATES = [m for m, page in admin.site._registry.items() if page.date_hierarchy or m is ApiKey]
DAYS = (
    ("0001", "1", "1"),
    ("9999", "12", "31"),
    ("0000", "1", "1"),
    ("10000", "1", "1"),
    ("2026", "13", "40"),
)


def list_extreme_dates(name, days):
    """Yield the query parameters of date drill-downs and date ranges with extreme or invalid dates."""
    for day in days:
        for count in (1, 2, 3):
            parts = zip(("year", "month", "day")[:count], day[:count], strict=True)
            yield {f"{name}__{part}": value for part, value in parts}
        for offset in (" 00:00:00+14:00", " 23:59:59-11:00"):
            for lookup in ("gte", "lt"):
                yield {f"{name}__{lookup}": "-".join(day) + offset}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("model", LISTS_WITH_DATES, ids=lambda model: model.__name__)
class TestExtremeDate:
    def test_does_not_break_the_page(self, staff, model, zone):
        User.objects.update(time_zone=zone)
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        name = admin.site._registry[model].date_hierarchy or "created_at"
        # All lists read dates by the same code: one gets every date, the others the first and the last.
        for asked in list_extreme_dates(name, DAYS if model is Customer else DAYS[:2]):
            assert staff.get(page, asked, follow=True).status_code in (200, 400), asked


class TestLedger:
    @pytest.mark.parametrize("name", ["usagerecord", "usagereport", "inboxevent"])
    def test_cannot_be_added_changed_or_deleted(self, staff, one_of_each, name):
        model_admin = next(a for m, a in admin.site._registry.items() if m._meta.model_name == name)
        row = model_admin.model.objects.first()
        prefix = f"admin:billing_{name}"
        assert staff.get(reverse(f"{prefix}_add")).status_code == 403
        assert staff.post(reverse(f"{prefix}_change", args=[row.pk]), {}).status_code == 403
        assert staff.post(reverse(f"{prefix}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        assert model_admin.model.objects.filter(pk=row.pk).exists()


class TestActions:
    def test_revoke_a_key_from_the_list(self, staff, one_of_each):
        key = ApiKey.objects.get()
        answer = {"action": "revoke", "_selected_action": [str(key.pk)]}
        staff.post(reverse("admin:customers_apikey_changelist"), answer)
        key.refresh_from_db()
        assert key.revoked_at is not None

    def test_retry_a_parked_report(self, staff, one_of_each):
        park(UsageReport.objects.all())
        answer = {"action": "retry_now", "_selected_action": [str(UsageReport.objects.get().pk)]}
        staff.post(reverse("admin:billing_usagereport_changelist"), answer)
        assert UsageReport.objects.get().status == "pending"


def test_stripe_models_are_read_only(staff, db):
    assert staff.get(reverse("admin:djstripe_customer_changelist")).status_code == 200
    assert staff.get(reverse("admin:djstripe_webhookendpoint_add")).status_code == 403


def test_view_permission_does_not_allow_revoking_a_key(one_of_each):
    client = open_staff_browser(make_staff("customers.view_apikey"))
    answer = {"action": "revoke", "_selected_action": [str(ApiKey.objects.get().pk)]}
    client.post(reverse("admin:customers_apikey_changelist"), answer)
    assert ApiKey.objects.get().revoked_at is None


def test_every_model_is_in_the_admin():
    from django.apps import apps

    registered = set(admin.site._registry)
    assert {model for app in OURS for model in apps.get_app_config(app).get_models()} <= registered
    assert ForgeAccount in registered


def test_customers_cannot_open_staff_pages(db):
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse("admin:billing_usagerecord_changelist")).status_code == 302
