"""Every URL, requested by every kind of user: who has access, and that no response is a 500.

The routes come from the URL configuration. A new public route fails here until it is in PUBLIC.
tests/rsolv/portal/test_isolation.py tests what a tenant's ids open, tests/rsolv/staff what staff pages show.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.db import models, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from djstripe.models import WebhookEventTrigger

from billing.admin.stripe_mirror import StripeMirrorAdmin
from core.api import limiter
from customers.models import User
from tests.factories import BillingAccountFactory, CustomerFactory, MembershipFactory, UserFactory
from tests.rows import make_row
from tests.staff import SAMPLED, is_sampled, make_staff, open_staff_browser, show_two_steps
from tests.tenants import open_browser

# Routes that are open to anonymous users, as patterns of the whole route. Decide here about each new route.
PUBLIC = (
    r"",
    r"accounts/(login|signup|inactive|login/cancelled|login/error|3rdparty/login/(cancelled|error))/",
    r"accounts/logout/",  # redirects anonymous users to the start page
    r"accounts/social/.*",  # allauth's old URLs redirect to the new ones
    r"accounts/password/reset/.*",
    r"accounts/2fa/webauthn/login/",
    r"accounts/(confirm-email|email/verify).*",
    r"api/(health|health/live|health/ready|openapi|docs)",
    r"api/v1/customers/onboard",
    r"api/v1/framework/detect",
    r"docs/.*",
    r"(pricing|terms|privacy|status|workflow.*)/?",
    r"invitations/<str:token>/.*",
    r"security/",
    r"\.well-known/security\.txt",
    r"static/.*",
)
# Arguments of routes. The rows do not exist; tests/rsolv/portal/test_isolation.py uses ids of existing rows.
EXAMPLES = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "int": "1",
    "str": "nothing",
    "slug": "nothing",
    "path": "1",
}
pytestmark = pytest.mark.slow
ROLES = ("owner", "admin", "member", "billing")
APPS = (
    "account",
    "auth",
    "billing",
    "customers",
    "djstripe",
    "business_metrics",
    "mfa",
    "phases",
    "provisioning",
)
LABELS = {model._meta.app_label for model in apps.get_models()}
# Apps that each of five staff users may change: each app belongs to a different pair of users.
_HOLDERS = dict(zip(APPS, combinations(range(5), 2), strict=False))
HOLDINGS = [tuple(app for app, pair in _HOLDERS.items() if person in pair) for person in range(5)]
# Tables that every request writes to.
NOT_COMPARED = {
    "sessions.Session",
    "usersessions.UserSession",
    "customers.StaffAction",
    "customers.KnownDevice",
}
Ask = Callable[[str], HttpResponseBase]


@dataclass(frozen=True)
class Route:
    """A route's pattern, and an example path that matches it."""

    pattern: str
    path: str


def list_routes() -> list[Route]:
    return sorted(set(_walk(get_resolver().url_patterns, "")), key=lambda route: route.pattern)


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for each in patterns:
        route = prefix + re.sub(r"\\Z|[$^]|\\(?=/)", "", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield Route(route, "/" + _fill(route))


def _fill(route: str) -> str:
    plain = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "customers" if "app_label" in route else "1", route)
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES[found[1] or "str"], plain)


ROUTES = list_routes()
STAFF = [route for route in ROUTES if route.pattern.startswith("staff/")]
STAFF_LISTS = [route for route in STAFF if "/<path:" not in route.pattern]


def sample(routes: list[Route]) -> list[Route]:
    """Return the routes without those of dj-stripe models that are not in SAMPLED."""
    models = [re.match(r"staff/djstripe/(\w+)/", route.pattern) for route in routes]
    return [
        route
        for route, found in zip(routes, models, strict=True)
        if not found or f"djstripe.{found[1]}" in SAMPLED
    ]


# All pages share one access check: one role requests all of them, the others one page of each app.
_FIRST_OF_APP = {route.pattern.split("/")[1]: route for route in reversed(STAFF_LISTS)}
STAFF_GATES = list(_FIRST_OF_APP.values())
OTHERS = [route for route in ROUTES if not route.pattern.startswith("staff/")]


def ask_all(browser: Client, routes: list[Route]) -> Iterator[tuple[Route, str, Any]]:
    """Request each route by GET and POST; roll back its changes before the next."""
    cookies = browser.cookies.copy()
    for route in routes:
        for verb in ("get", "post"):
            cache.clear()
            limiter.in_process.clear()
            with transaction.atomic():
                answer = getattr(browser, verb)(route.path, REMOTE_ADDR="192.0.2.7")
                transaction.set_rollback(True)
            browser.cookies = cookies.copy()
            yield route, verb, answer


def is_reached(answer: Any) -> bool:
    """Whether the response is neither an error nor a redirect to the login."""
    location = answer.headers.get("Location", "")
    return answer.status_code < 400 and not re.match(r"/(accounts|staff)/login/", location)


def open_role(role: str) -> Client:
    membership = MembershipFactory(customer=CustomerFactory(), role=role)
    BillingAccountFactory(customer=membership.customer)
    return open_browser(membership)


def open_staff(*permissions: str, **fields: Any) -> Client:
    return open_staff_browser(make_staff(*permissions, **fields), raise_request_exception=False)


def list_errors(browser: Client, routes: list[Route]) -> list[tuple[str, str, int]]:
    answers = ((r.pattern, verb, answer.status_code) for r, verb, answer in ask_all(browser, routes))
    return [answer for answer in answers if answer[2] in (500, 501)]


@pytest.mark.django_db
class TestAnonymousUser:
    def test_can_open_public_routes_only(self) -> None:
        reached, errors = set(), []
        for route, verb, answer in ask_all(Client(raise_request_exception=False), sample(ROUTES)):
            if answer.status_code == 500:
                errors.append((route.pattern, verb))
            elif is_reached(answer):
                reached.add(route.pattern)
        assert errors == []
        assert {each for each in reached if not any(re.fullmatch(p, each) for p in PUBLIC)} == set()


@pytest.mark.django_db
class TestMembers:
    @pytest.mark.parametrize("role", ROLES)
    def test_get_no_server_error(self, role: str) -> None:
        assert list_errors(open_role(role), OTHERS) == []

    @pytest.mark.parametrize("role", ROLES)
    def test_cannot_open_the_staff_admin(self, role: str) -> None:
        answers = list(ask_all(open_role(role), sample(STAFF) if role == "owner" else STAFF_GATES))
        assert [route.pattern for route, _, answer in answers if is_reached(answer)] == []
        assert {answer.status_code for _, _, answer in answers} <= {302, 403}

    def test_users_without_customer_get_no_server_error(self) -> None:
        browser = Client(raise_request_exception=False)
        browser.force_login(UserFactory())
        assert list_errors(browser, OTHERS) == []


def hash_tables() -> dict[str, list[Any]]:
    """Return every row of every table, except those in NOT_COMPARED."""
    compared = (m for m in apps.get_models() if m._meta.label not in NOT_COMPARED and m._meta.managed)
    return {m._meta.label: sorted(map(str, m._base_manager.values_list())) for m in compared}


def list_forms(row_of: dict[type[models.Model], models.Model]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and form of every possible change on the staff pages."""
    for model, row in row_of.items():
        base, page = f"/staff/{model._meta.app_label}/{model._meta.model_name}/", admin.site._registry[model]
        columns = {field.name: "1" for field in model._meta.concrete_fields} | {"is_superuser": "on"}
        yield f"{base}add/", columns
        yield f"{base}{row.pk}/change/", columns | {"_save": "1"}
        yield f"{base}{row.pk}/delete/", {"post": "yes"}
        for action in ("delete_selected", *map(_name, page.actions or ())):
            yield base, {"action": action, "_selected_action": [str(row.pk)], "index": "0"}


def _name(action: Any) -> str:
    return action if isinstance(action, str) else action.__name__


@pytest.mark.django_db
class TestStaff:
    @pytest.mark.parametrize("app", APPS)
    def test_with_permissions_on_one_app_get_no_server_error(self, app: str) -> None:
        own = [route for route in sample(STAFF) if route.pattern.startswith(f"staff/{app}/")]
        assert list_errors(open_staff(f"{app}.*"), [route for route in own if route not in STAFF_LISTS]) == []

    @pytest.mark.parametrize("held", HOLDINGS, ids="+".join)
    def test_with_permissions_on_some_apps_can_open_no_other(self, held: tuple[str, ...]) -> None:
        reached = set()
        for route, verb, answer in ask_all(open_staff(*(f"{app}.*" for app in held)), sample(STAFF_LISTS)):
            assert answer.status_code != 500, (verb, route.pattern)
            found = re.match(r"staff/(\w+)/(\w+)/", route.pattern)
            if found and answer.status_code == 200 and found[1] in LABELS:
                reached.add(found[1])
        assert reached <= set(held)

    def test_of_djstripe_share_one_class(self) -> None:
        """So the models of SAMPLED show what the pages of all of them do."""
        pages = {m: type(page) for m, page in admin.site._registry.items() if m._meta.app_label == "djstripe"}
        own = [page for page in pages.values() if not issubclass(page, StripeMirrorAdmin)]
        assert own == [pages[WebhookEventTrigger]] and len(pages) > 30

    def test_permissions_separate_every_pair_of_apps(self) -> None:
        """Therefore the five users of HOLDINGS cover the same cases as one user per app."""
        alone = {(one, other) for held in HOLDINGS for one in held for other in APPS if other not in held}
        assert alone == set(permutations(APPS, 2))

    def test_without_permissions_can_open_no_row(self) -> None:
        for route, verb, answer in ask_all(open_staff(), sample(STAFF)):
            is_of_a_model = re.match(r"staff/[a-z]+/[a-z]+/", route.pattern)
            if is_of_a_model and "password_change" not in route.pattern:
                assert answer.status_code in (302, 403, 404), (verb, route.pattern)
                leads_on = ("/staff/", f"{route.path}change/")  # to the start page, or from Django's old URL
                assert answer.status_code != 302 or answer.headers["Location"] in leads_on, route.pattern

    def test_superuser_without_second_factor_can_open_nothing(self) -> None:
        user = UserFactory(is_staff=True, is_superuser=True)
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        show_two_steps(browser, steps=("password",))
        for route, verb, answer in ask_all(browser, sample(STAFF)):
            if route.path != "/staff/login/":
                assert answer.headers.get("Location") == "/accounts/2fa/", (verb, route.pattern)

    def test_superuser_gets_no_server_error(self) -> None:
        assert list_errors(open_staff(is_superuser=True), sample(STAFF)) == []

    def test_view_permission_allows_no_change(self) -> None:
        rows = {model: make_row(model) for model in admin.site._registry if is_sampled(model)}
        browser = open_staff("view_*")
        forms = list(list_forms(rows))
        before = hash_tables()
        answers = [(path, browser.post(path, sent).status_code) for path, sent in forms]
        assert [answer for answer in answers if answer[1] not in (200, 302, 403)] == []
        assert hash_tables() == before
        assert User.objects.filter(is_superuser=True).count() == 0


def test_routes_cover_every_kind_of_pattern() -> None:
    assert len(STAFF) > 300 and len(OTHERS) > 90 and len(STAFF_GATES) > len(APPS)
    assert not [route.path for route in ROUTES if re.search(r"[<>()?]", route.path)]
