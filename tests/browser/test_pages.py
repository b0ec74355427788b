"""Every page, in each of its states: accessibility, layout and console errors."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .live_server_stack import LiveServerStack, Person, start_live_server_stack
from .page_checks import SCREENSHOTS, SHADES, check_page, run_axe
from .people import create_people, forget_password, invite, onboard
from .routes import RouteMap, find_route

# Findings in Swagger UI's own markup: a pale badge, and a button inside a button.
SWAGGER = ("light, 1280 px: color-contrast", "nested-interactive")

# Routes of pages that none of the people can open, and why.
NO_GITHUB = "login with GitHub is not set up"
NO_KEY = "no person has a passkey"
UNSEEN = {
    "accounts/3rdparty/login/error/": "answers 401",
    "accounts/3rdparty/signup/": NO_GITHUB,
    "accounts/github/login/": NO_GITHUB,
    "accounts/github/login/callback/": NO_GITHUB,
    "accounts/login/code/confirm/": "no person logs in by a code",
    "accounts/password/set/": "every person has a password",
    "accounts/reauthenticate/code/": "every person has a password",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": NO_KEY,
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": NO_KEY,
    "accounts/2fa/webauthn/login/": "for scripts",
    "accounts/2fa/webauthn/reauthenticate/": NO_KEY,
    "dashboard/setup/connection/": "a part of a page, which redirects to the page",
}

# Other states of the same pages: (screenshot, person, path).
STATES = (
    ("overview-empty", "new_account", "/dashboard/"),
    ("fixes-empty", "new_account", "/dashboard/fixes/"),
    ("repositories-empty", "new_account", "/dashboard/repositories/"),
    ("usage-empty", "new_account", "/dashboard/usage/"),
    ("billing-empty", "new_account", "/dashboard/billing/"),
    ("invoices-empty", "new_account", "/dashboard/billing/invoices/"),
    ("setup-empty", "new_account", "/dashboard/setup/"),
    ("fixes-invalid-dates", "owner", "/dashboard/fixes/?since=tomorrow&until=x"),
    ("fixes-none-found", "owner", "/dashboard/fixes/?severity=low&state=failed"),
    ("overview-trial", "trial", "/dashboard/"),
    ("overview-trial-exhausted", "exhausted", "/dashboard/"),
    ("overview-past-due", "past_due", "/dashboard/"),
    ("overview-canceled", "canceled", "/dashboard/"),
    ("overview-teams", "teams", "/dashboard/"),
    ("billing-past-due", "past_due", "/dashboard/billing/"),
    ("billing-canceled", "canceled", "/dashboard/billing/"),
    ("billing-teams", "teams", "/dashboard/billing/"),
    ("usage-teams", "teams", "/dashboard/usage/"),
    ("overview-of-a-member", "bob", "/dashboard/"),
    ("team-of-a-member", "bob", "/dashboard/team/"),
)


@pytest.fixture(scope="module")
def live_stack(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServerStack]:
    """A separate stack, because other tests change its customers."""
    with start_live_server_stack(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture(scope="module")
def people(live_stack: LiveServerStack) -> Iterator[dict[str, Person]]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with create_people(live_stack) as people:
        yield people


@pytest.fixture(scope="module")
def route_map(live_stack: LiveServerStack, people: dict[str, Person]) -> RouteMap:
    routes = RouteMap()
    routes.add(invite(live_stack, people["owner"], "ola@halden.example"))
    routes.add(onboard(live_stack, "olga@halden.example"))
    routes.add(forget_password(live_stack, people["anonymous"], "pastdue@demo.example"))
    for name, person in people.items():
        routes.explore(name, person)
    return routes


class TestEveryPage:
    def test_can_be_opened_by_some_person(self, route_map: RouteMap) -> None:
        assert sorted(set(route_map.list_unseen())) == sorted(UNSEEN)

    def test_is_accessible_and_fits(self, route_map: RouteMap, people: dict[str, Person]) -> None:
        """Also saves screenshots and the findings of axe in var/screenshots."""
        found: dict[str, list[str]] = {}
        for route, name in route_map.seen_by.items():
            page = people[name].open(route_map.paths[route])
            assert find_route(page.url) == route, f"{name} is redirected to {page.url}"
            if route == "api/docs":
                page.locator(".opblock").last.wait_for()
            found[route] = check_page(people[name], re.sub(r"\W+", "-", route).strip("-") or "home")
        save_findings("findings.json", found)
        found["api/docs"] = [each for each in found["api/docs"] if not any(rule in each for rule in SWAGGER)]
        assert {route: findings for route, findings in found.items() if findings} == {}

    def test_is_accessible_and_fits_in_its_other_states(self, people: dict[str, Person]) -> None:
        found: dict[str, list[str]] = {}
        for screenshot, name, path in STATES:
            people[name].open(path)
            found[screenshot] = check_page(people[name], f"state-{screenshot}")
        save_findings("findings-of-states.json", found)
        assert {screenshot: findings for screenshot, findings in found.items() if findings} == {}


class TestApiReference:
    def test_follows_the_color_scheme_of_the_system(self, person: Person) -> None:
        page = person.open("/api/docs")
        page.locator(".opblock").last.wait_for()
        for shade in SHADES:
            page.emulate_media(color_scheme=shade)
            expect(page.locator("html")).to_have_css("color-scheme", shade)
            found = [f"{shade}, {page.evaluate('innerWidth')} px: {each}" for each in run_axe(page)]
            assert [each for each in found if not any(rule in each for rule in SWAGGER)] == []
        assert person.console_errors == []


class TestErrorPages:
    """The browser reports their HTTP status as a console error, which these tests ignore."""

    def test_are_accessible_and_fit(self, people: dict[str, Person]) -> None:
        found: dict[str, list[str]] = {}
        for screenshot, name, path in (
            ("403-billing", "bob", "/dashboard/billing/"),
            ("403-audit-log", "bob", "/dashboard/audit-log/"),
            ("invitation-not-valid", "anonymous", "/invitations/nobody/"),
            ("onboarding-not-valid", "anonymous", "/onboarding/nobody/"),
            ("setup-invalid-branch", "new_account", "/dashboard/setup/?branch=a%20b"),
        ):
            people[name].open(path)
            found[screenshot] = check_page(people[name], f"error-{screenshot}")
        log_in_with_wrong_password(people["anonymous"])
        found["login-wrong-password"] = check_page(people["anonymous"], "error-login-wrong-password")
        save_findings("findings-of-errors.json", found)
        status = re.compile("Failed to load resource: the server responded with a status of 4")
        assert [each for findings in found.values() for each in findings if not status.match(each)] == []


def save_findings(name: str, found: dict[str, list[str]]) -> None:
    (SCREENSHOTS / name).write_text(json.dumps(found, indent=1))


def log_in_with_wrong_password(person: Person) -> None:
    page = person.open("/accounts/login/")
    page.get_by_label("Email").fill("nobody@shop.example")
    page.get_by_label("Password", exact=True).fill("not this one")
    person.press("Log in")
    page.get_by_text(re.compile("not correct|incorrect", re.I)).first.wait_for()
