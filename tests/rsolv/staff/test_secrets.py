"""No staff page shows a secret, or reveals one through filters, search or ordering."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import NoReverseMatch, reverse

from core.admin.pages import StaffAdmin
from core.admin.secrets import is_secret
from customers.models import StaffAction
from tests.rows import MARK, list_secrets, make_every_row
from tests.staff import StaffBrowser, is_sampled

Rows = dict[type[models.Model], models.Model]
PAGES = sorted(admin.site._registry.items(), key=lambda page: page[0]._meta.label)
IDS = [model._meta.label for model, _ in PAGES]
pytestmark = pytest.mark.slow
LOOKUPS = ("exact", "startswith", "regex", "iregex", "contains", "gt", "isnull", "in")


@pytest.fixture
def rows(db: None) -> Rows:
    return make_every_row()


def address(model: type[models.Model], kind: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


ALWAYS_OPEN = 4


def list_addresses(model: type[models.Model], row: models.Model) -> list[str]:
    """Return the URLs of the pages of a model; those that need view permission only come first."""
    many, one = address(model, "changelist"), [address(model, kind, row.pk) for kind in ("change", "history")]
    may_close = [address(model, "add"), address(model, "delete", row.pk)]
    return [many, f"{many}?q={MARK[:7]}&all=&o=1.-2", *one, *may_close]


class TestPage:
    @pytest.mark.parametrize("who", ["staff", "onlooker"])
    def test_opens_and_shows_no_secret(self, request: Any, rows: Rows, who: str) -> None:
        browser: StaffBrowser = request.getfixturevalue(who)
        wrong = []
        for model in dict(PAGES) if who == "staff" else filter(is_sampled, dict(PAGES)):
            record_change(browser, rows[model])
            must_open = who == "staff" or model is not StaffAction
            for number, path in enumerate(list_addresses(model, rows[model])):
                answer = browser.get(path)
                expected = (200,) if must_open and number < ALWAYS_OPEN else (200, 403)
                if answer.status_code not in expected or MARK in answer.text:
                    wrong.append((path, answer.status_code, MARK in answer.text))
        assert wrong == []

    def test_derives_from_staff_admin(self) -> None:
        assert all(isinstance(page, StaffAdmin) for _, page in PAGES)

    @pytest.mark.parametrize(("model", "page"), PAGES, ids=IDS)
    def test_every_secret_is_recognized(self, model: type[models.Model], page: Any) -> None:
        """The rule in the code is independent of the list in tests/rows.py, so each checks the other."""
        assert [f.name for f in list_secrets(model) if not is_secret(f)] == []

    def test_models_of_secrets_have_no_page(self) -> None:
        from django.apps import apps

        hidden = {m._meta.label for m in apps.get_models() if m not in dict(PAGES)}
        assert {
            "account.EmailConfirmation",
            "djstripe.APIKey",
            "djstripe.IdempotencyKey",
            "sessions.Session",
            "socialaccount.SocialApp",
            "socialaccount.SocialToken",
            "usersessions.UserSession",
        } <= hidden


def record_change(browser: StaffBrowser, row: models.Model) -> None:
    """Create a log entry for the history page of the row."""
    LogEntry.objects.create(
        user_id=browser.user.pk,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row.pk),
        action_flag=CHANGE,
        change_message='[{"changed": {"fields": ["Name"]}}]',
    )


def without_id(answer: Any) -> str:
    """Return the page without the request id, which is unique."""
    return re.sub(r"req_\w+", "", answer.text)


def find_paths(model: type[models.Model], depth: int = 2) -> Iterator[str]:
    """Yield every lookup path to a secret column, over up to two forward or reverse relations."""
    for field in model._meta.get_fields():
        if isinstance(field, models.Field) and not field.is_relation and field in list_secrets(model):
            yield field.name
        if field.is_relation and depth and field.related_model not in (None, model):
            target: Any = field.related_model
            name = field.name
            if not name.endswith("+"):
                yield from (f"{name}__{path}" for path in find_paths(target, depth - 1))


class TestLookups:
    @pytest.mark.parametrize(("model", "page"), PAGES, ids=IDS)
    def test_filters_do_not_allow_secrets(self, model: type[models.Model], page: Any) -> None:
        """Checks every path with `lookup_allowed`; tests below check some of them over HTTP."""
        for path in find_paths(model):
            for lookup in ("", *(f"__{each}" for each in LOOKUPS)):
                assert not page.lookup_allowed(f"{path}{lookup}", "x", None), path + lookup

    def test_response_equals_that_of_an_unknown_filter(self, staff: StaffBrowser, rows: Rows) -> None:
        for model in filter(is_sampled, dict(PAGES)):
            many = address(model, "changelist")
            unknown = staff.get(many, {"no_such_column__regex": "."})
            for path in list(find_paths(model))[:2]:
                for guess in (f"^{MARK}", "^nothing"):
                    answer = staff.get(many, {f"{path}__regex": guess})
                    assert answer.status_code == 400, path
                    assert without_id(answer) == without_id(unknown), path

    @pytest.mark.parametrize(
        "path",
        [
            "customers/customer/?api_keys__key_hash__startswith=a",
            "customers/apikey/?key_hash__startswith=a",
            "customers/apikey/?replaces__key_hash__regex=a",
            "customers/user/?password__regex=a",
            "customers/membership/?user__password__startswith=a",
            "customers/invitation/?token_hash__regex=a",
            "customers/user/?authenticator__data__regex=a",
            "billing/billingaccount/?stripe_customer__djstripe_owner_account__apikey__secret__startswith=sk",
            "djstripe/webhookendpoint/?secret__regex=a",
            "djstripe/invoice/?djstripe_owner_account__webhookendpoint__secret__regex=a",
            "djstripe/customer/?stripe_data__client_secret__regex=a",
            "customers/apikey/?_to_field=key_hash&_popup=1",
            "customers/user/?_to_field=password",
            "customers/invitation/?created_at__regex=a",
        ],
    )
    def test_lookup_of_a_secret_is_rejected(self, staff: StaffBrowser, path: str) -> None:
        assert staff.get(f"/staff/{path}").status_code == 400

    @pytest.mark.parametrize(("model", "page"), PAGES, ids=IDS)
    def test_search_ordering_and_display_do_not_use_secrets(
        self, model: type[models.Model], page: Any
    ) -> None:
        assert page.list_secret_paths() == []

    def test_registering_a_page_with_a_secret_raises(self) -> None:
        from django.core.exceptions import ImproperlyConfigured
        from unfold.admin import TabularInline

        from customers.models import ApiKey
        from rsolv.staff.site import StaffSite

        for names in (
            {"search_fields": ("=key_hash",)},
            {"list_filter": ("customer__api_keys__key_hash",)},
            {"list_display": ("key_hash",)},
            {"ordering": ("-key_hash",)},
            {"fields": ("name", "key_hash")},
            {"fieldsets": ((None, {"fields": ("key_hash",)}),)},
            {"readonly_fields": ("key_hash",)},
            {"inlines": (type("Inline", (TabularInline,), {"model": ApiKey}),)},
        ):
            with pytest.raises(ImproperlyConfigured):
                StaffSite("other").register(ApiKey, type("Page", (StaffAdmin,), names))

    def test_autocomplete_does_not_match_secrets(self, staff: StaffBrowser, rows: Rows) -> None:
        for field in ("user", "customer"):
            given = {"app_label": "customers", "model_name": "membership", "field_name": field}
            answer = staff.get("/staff/autocomplete/", given | {"term": MARK})
            assert answer.json()["results"] == []


class TestDjStripe:
    @pytest.mark.parametrize("kind", ["apikey", "idempotencykey", "plan"])
    def test_has_no_pages_for_keys(self, kind: str) -> None:
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:djstripe_{kind}_changelist")

    def test_pages_are_read_only_and_do_not_call_stripe(self, staff: StaffBrowser, rows: Rows) -> None:
        """No server listens at the configured Stripe URL, so that every call would fail."""
        sent = {"post": "yes", "url": "https://evil.test"}
        for model in (model for model, _ in PAGES if model._meta.app_label == "djstripe"):
            pk = rows[model].pk
            forms = [address(model, "add"), address(model, "change", pk), address(model, "delete", pk)]
            assert [staff.post(path, sent).status_code for path in forms] == [403] * 3, model
            for action in ("_sync_all_instances", "_cancel", "delete_selected"):
                chosen = {"action": action, "_selected_action": [str(pk)], "index": 0}
                assert staff.post(address(model, "changelist"), chosen).status_code in (200, 302)
            assert model._default_manager.filter(pk=pk).exists()
