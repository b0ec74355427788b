"""Every page that there is, looked at: by axe, by light and by dark, on a desk and on a phone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from sandbox.staging.cast import PASSWORD

from .atlas import Atlas, find_route
from .house import DESKTOP, PHONE, House, Person
from .second_step import turn_on_second_step

SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
# Swagger UI draws it, not we: its badge is pale, and its summaries hold a button in a button.
SWAGGER = ("color-contrast", "nested-interactive")
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

# Routes of pages that none of the visitors can open, and why.
NO_GITHUB = "login with GitHub is not set up"
NO_KEY = "nobody has a passkey"
UNSEEN = {
    "accounts/3rdparty/login/error/": "answers 401",
    "accounts/3rdparty/signup/": NO_GITHUB,
    "accounts/github/login/": NO_GITHUB,
    "accounts/github/login/callback/": NO_GITHUB,
    "accounts/login/code/confirm/": "nobody logs in by a code",
    "accounts/password/set/": "everybody has a password",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": NO_KEY,
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": NO_KEY,
    "accounts/2fa/webauthn/login/": "for scripts",
    "accounts/2fa/webauthn/reauthenticate/": NO_KEY,
    "dashboard/billing/return/": "only between Checkout and the news of it",
    "dashboard/team/<int:pk>/remove/": "a POST; nobody here has teammates",
    "dashboard/team/<int:pk>/role/": "a POST; nobody here has teammates",
    "dashboard/team/<int:pk>/transfer/": "a POST; nobody here has teammates",
}


@pytest.fixture(scope="module")
def visitors(house: House) -> Iterator[dict[str, Person]]:
    """Who look around: a stranger, people between two pages, owners of all kinds."""
    names = ("stranger", "newcomer", "owner", "half", "plain", "leaver")
    people = {name: house.invite_person() for name in names}
    sign_up(people["newcomer"], "noa@shop.example")
    people["owner"].log_in("teams@demo.example")
    turn_on_second_step(people["owner"])
    people["half"].log_in("teams@demo.example")
    people["plain"].log_in("pastdue@demo.example")
    people["plain"].open_again("/accounts/2fa/totp/activate/")
    people["leaver"].log_in("cancelled@demo.example")
    yield people
    for person in people.values():
        person.page.context.close()


@pytest.fixture(scope="module")
def atlas(house: House, visitors: dict[str, Person]) -> Atlas:
    made = Atlas()
    made.add(urlsplit(invite(house, visitors["owner"], "ola@northlight.example")).path)
    made.add(urlsplit(forget_password(house, visitors["stranger"], "pastdue@demo.example")).path)
    for name, person in visitors.items():
        made.explore(name, person)
    return made


class TestEveryPage:
    def test_is_known_here(self, atlas: Atlas) -> None:
        assert sorted(set(atlas.list_unseen())) == sorted(UNSEEN)

    def test_is_accessible_and_fits(self, atlas: Atlas, visitors: dict[str, Person]) -> None:
        """And leaves its pictures in var/screenshots, with what axe said of it."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        found: dict[str, list[str]] = {}
        for route, name in atlas.seen_by.items():
            person = visitors[name]
            person.troubles.clear()
            page = person.open(atlas.paths[route])
            assert find_route(page.url) == route, f"{name} is led to {page.url}"
            found[route] = look(person, re.sub(r"\W+", "-", route).strip("-") or "home") + person.troubles
        (SCREENSHOTS / "findings.json").write_text(json.dumps(found, indent=1))
        found["api/docs"] = [each for each in found["api/docs"] if not any(rule in each for rule in SWAGGER)]
        assert {route: findings for route, findings in found.items() if findings} == {}


def look(person: Person, name: str) -> list[str]:
    """What is wrong with the page that a person has open; its pictures are kept under the name."""
    findings: list[str] = []
    page = person.page
    for shade in ("dark", "light"):
        page.emulate_media(color_scheme=shade)
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.screenshot(path=SCREENSHOTS / f"{name}-{shade}-{size['width']}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                findings.append(f"scrolls sideways at {size['width']} px")
        findings += [f"{shade}: {each}" for each in ask_axe(page)]
    return findings


def ask_axe(page: Any) -> list[str]:
    """Its serious and critical findings."""
    violations = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


def sign_up(person: Person, email: str) -> None:
    """Up to where the mail's code is asked for."""
    page = person.open("/accounts/signup/")
    page.get_by_label("Company or team").fill("Nine Lives")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Create account")
    page.wait_for_url("**/confirm-email/")


def invite(house: House, person: Person, email: str) -> str:
    """The link in the mail to somebody who is invited."""
    page = person.open("/dashboard/team/")
    page.get_by_label("Email address").fill(email)
    person.press("Send the invitation")
    return house.read_mail(email, r"(http\S+/invitations/\S+)")


def forget_password(house: House, person: Person, email: str) -> str:
    """The link in the mail that sets a new password."""
    person.open("/accounts/password/reset/").get_by_label("Email").fill(email)
    person.page.get_by_role("main").get_by_role("button").first.click()
    return house.read_mail(email, r"(http\S+/password/reset/key/\S+)")
