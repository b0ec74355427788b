"""Who look around: strangers, people between two pages, owners, a teammate; and what brings them there."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from sandbox.demo.journey import CODE
from sandbox.seed.personas import PASSWORD

from .live_server_stack import LiveServerStack, Person
from .totp import turn_on_totp

SEEDED = ("teams", "trial", "exhausted")
NAMES = ("stranger", "newcomer", "owner", "half", "plain", "leaver", "fresh", "mate", *SEEDED)
OWNER = "payg@demo.example"


@contextmanager
def create_people(live_stack: LiveServerStack) -> Iterator[dict[str, Person]]:
    people = {name: live_stack.new_person() for name in NAMES}
    sign_up(people["newcomer"], "noa@shop.example")
    sign_up(people["fresh"], "fred@shop.example")
    confirm(live_stack, people["fresh"], "fred@shop.example")
    people["owner"].log_in(OWNER)
    join(people["mate"], invite(live_stack, people["owner"], "mia@halden.example"))
    turn_on_totp(people["owner"])
    people["half"].log_in(OWNER)
    people["plain"].log_in("pastdue@demo.example")
    people["plain"].open_again("/accounts/2fa/totp/activate/")
    people["leaver"].log_in("canceled@demo.example")
    for name in SEEDED:
        people[name].log_in(f"{name}@demo.example")
    yield people
    for person in people.values():
        person.page.context.close()


def sign_up(person: Person, email: str) -> None:
    """Up to where the mail's code is asked for."""
    page = person.open("/accounts/signup/")
    page.get_by_label("Company or team").fill("Nine Lives")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Create account")
    page.wait_for_url("**/confirm-email/")


def confirm(live_stack: LiveServerStack, person: Person, email: str) -> None:
    person.page.get_by_label("Code").fill(live_stack.read_mail(email, CODE.pattern))
    person.press("Confirm")
    person.page.wait_for_url("**/dashboard/")


def invite(live_stack: LiveServerStack, person: Person, email: str) -> str:
    """The path in the mail to somebody who is invited."""
    page = person.open("/dashboard/team/")
    page.get_by_label("Email address").fill(email)
    person.press("Send the invitation")
    return urlsplit(live_stack.read_mail(email, r"(http\S+/invitations/\S+)")).path


def join(person: Person, path: str) -> None:
    page = person.open(path)
    page.get_by_label("Your name").fill("Mia")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Join")
    page.wait_for_url("**/dashboard/")


def onboard(live_stack: LiveServerStack, email: str) -> str:
    """The path in the mail to somebody for whom an account was asked for through the API."""
    sent = {"name": "Nine Lives", "email": email}
    httpx.post(
        f"{live_stack.stack.url}/api/v1/customers/onboard", json=sent, trust_env=False
    ).raise_for_status()
    return urlsplit(live_stack.read_mail(email, r"(http\S+/onboarding/\S+)")).path


def forget_password(live_stack: LiveServerStack, person: Person, email: str) -> str:
    """The path in the mail that sets a new password."""
    person.open("/accounts/password/reset/").get_by_label("Email").fill(email)
    person.page.get_by_role("main").get_by_role("button").first.click()
    return urlsplit(live_stack.read_mail(email, r"(http\S+/password/reset/key/\S+)")).path
