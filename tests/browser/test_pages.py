"""Every page that there is, in the states that it has, looked at."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .live_server_stack import LiveServerStack, Person, start_live_server_stack
from .page_checks import SCREENSHOTS, SHADES, check_page, run_axe
from .people import create_people, forget_password, invite, onboard
from .routes import RouteMap, find_route

# Swagger UI draws it, not we: its badge is pale in the light, and its summaries hold a button in a button.
SWAGGER = ("light, 1280 px: color-contrast", "nested-interactive")

# Routes of pages that none of the people can open, and why.
NO_GITHUB = "login with GitHub is not set up"
NO_KEY = "nobody has a passkey"
POSTED = "takes a POST only"
UNSEEN = {
    "accounts/3rdparty/login/error/": "answers 401",
    "accounts/3rdparty/signup/": NO_GITHUB,
    "accounts/github/login/": NO_GITHUB,
    "accounts/github/login/callback/": NO_GITHUB,
    "accounts/login/code/confirm/": "nobody logs in by a code",
    "accounts/password/set/": "everybody has a password",
    "accounts/reauthenticate/code/": "everybody has a password",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": NO_KEY,
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": NO_KEY,
    "accounts/2fa/webauthn/login/": "for scripts",
    "accounts/2fa/webauthn/reauthenticate/": NO_KEY,
    "dashboard/setup/connection/": "a part of a page, which leads to the whole",
}

# What the same pages look like to others: (picture, person, path).
STATES = (
    ("overview-of-nothing", "fresh", "/dashboard/"),
    ("fixes-of-nothing", "fresh", "/dashboard/fixes/"),
    ("repositories-of-nothing", "fresh", "/dashboard/repositories/"),
    ("usage-of-nothing", "fresh", "/dashboard/usage/"),
    ("billing-of-nothing", "fresh", "/dashboard/billing/"),
    ("invoices-of-nothing", "fresh", "/dashboard/billing/invoices/"),
    ("setup-of-nothing", "fresh", "/dashboard/setup/"),
    ("fixes-mistaken", "owner", "/dashboard/fixes/?since=tomorrow&until=x"),
    ("fixes-none-found", "owner", "/dashboard/fixes/?severity=low&state=failed"),
    ("overview-trial", "trial", "/dashboard/"),
    ("overview-used-up", "exhausted", "/dashboard/"),
    ("overview-past-due", "plain", "/dashboard/"),
    ("overview-cancelled", "leaver", "/dashboard/"),
    ("overview-teams", "teams", "/dashboard/"),
    ("billing-past-due", "plain", "/dashboard/billing/"),
    ("billing-cancelled", "leaver", "/dashboard/billing/"),
    ("billing-teams", "teams", "/dashboard/billing/"),
    ("usage-teams", "teams", "/dashboard/usage/"),
    ("overview-of-a-member", "mate", "/dashboard/"),
    ("team-of-a-member", "mate", "/dashboard/team/"),
)


@pytest.fixture(scope="module")
def live_stack(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServerStack]:
    """One of its own: elsewhere its customers pay, change and close."""
    with start_live_server_stack(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture(scope="module")
def people(live_stack: LiveServerStack) -> Iterator[dict[str, Person]]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with create_people(live_stack) as people:
        yield people


@pytest.fixture(scope="module")
def route_map(live_stack: LiveServerStack, people: dict[str, Person]) -> RouteMap:
    made = RouteMap()
    made.add(invite(live_stack, people["owner"], "ola@halden.example"))
    made.add(onboard(live_stack, "olga@halden.example"))
    made.add(forget_password(live_stack, people["stranger"], "pastdue@demo.example"))
    for name, person in people.items():
        made.explore(name, person)
    return made


class TestEveryPage:
    def test_is_known_here(self, route_map: RouteMap) -> None:
        assert sorted(set(route_map.list_unseen())) == sorted(UNSEEN)

    def test_is_accessible_and_fits(self, route_map: RouteMap, people: dict[str, Person]) -> None:
        """And leaves its pictures in var/screenshots, with what axe said of it."""
        found: dict[str, list[str]] = {}
        for route, name in route_map.seen_by.items():
            page = people[name].open(route_map.paths[route])
            assert find_route(page.url) == route, f"{name} is led to {page.url}"
            if route == "api/docs":
                page.locator(".opblock").last.wait_for()
            found[route] = check_page(people[name], re.sub(r"\W+", "-", route).strip("-") or "home")
        keep("findings.json", found)
        found["api/docs"] = [each for each in found["api/docs"] if not any(rule in each for rule in SWAGGER)]
        assert {route: findings for route, findings in found.items() if findings} == {}

    def test_is_so_in_its_other_states(self, people: dict[str, Person]) -> None:
        found: dict[str, list[str]] = {}
        for picture, name, path in STATES:
            people[name].open(path)
            found[picture] = check_page(people[name], f"state-{picture}")
        keep("findings-of-states.json", found)
        assert {picture: findings for picture, findings in found.items() if findings} == {}


class TestTheApiReference:
    def test_is_dark_where_the_system_is(self, person: Person) -> None:
        page = person.open("/api/docs")
        page.locator(".opblock").last.wait_for()
        for shade in SHADES:
            page.emulate_media(color_scheme=shade)
            expect(page.locator("html")).to_have_css("color-scheme", shade)
            found = [f"{shade}, {page.evaluate('innerWidth')} px: {each}" for each in run_axe(page)]
            assert [each for each in found if not any(rule in each for rule in SWAGGER)] == []
        assert person.console_errors == []


class TestRefusals:
    """The browser itself complains of their status; of that there is nothing to say."""

    def test_are_accessible_and_fit(self, people: dict[str, Person]) -> None:
        found: dict[str, list[str]] = {}
        for picture, name, path in (
            ("403-billing", "mate", "/dashboard/billing/"),
            ("403-audit-log", "mate", "/dashboard/audit-log/"),
            ("invitation-over", "stranger", "/invitations/nobody/"),
            ("onboarding-over", "stranger", "/onboarding/nobody/"),
            ("setup-mistaken", "fresh", "/dashboard/setup/?branch=a%20b"),
        ):
            people[name].open(path)
            found[picture] = check_page(people[name], f"refusal-{picture}")
        fill_wrongly(people["stranger"])
        found["login-mistaken"] = check_page(people["stranger"], "refusal-login-mistaken")
        keep("findings-of-refusals.json", found)
        status = re.compile("Failed to load resource: the server responded with a status of 4")
        assert [each for findings in found.values() for each in findings if not status.match(each)] == []


def keep(name: str, found: dict[str, list[str]]) -> None:
    (SCREENSHOTS / name).write_text(json.dumps(found, indent=1))


def fill_wrongly(person: Person) -> None:
    page = person.open("/accounts/login/")
    page.get_by_label("Email").fill("nobody@shop.example")
    page.get_by_label("Password", exact=True).fill("not this one")
    person.press("Log in")
    page.get_by_text(re.compile("not correct|incorrect", re.I)).first.wait_for()
