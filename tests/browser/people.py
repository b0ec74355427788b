"""People in every state of login and membership, and the steps that put them there."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from sandbox.demo.journey import CODE
from sandbox.seed.personas import PASSWORD

from .live_server_stack import LiveServerStack, Person
from .totp import turn_on_totp

SEEDED = ("teams", "trial", "exhausted")
NAMES = (
    "anonymous",
    "unconfirmed",
    "owner",
    "awaiting_second_factor",
    "past_due",
    "canceled",
    "new_account",
    "bob",
    *SEEDED,
)
OWNER = "payg@demo.example"


@contextmanager
def create_people(live_stack: LiveServerStack) -> Iterator[dict[str, Person]]:
    """Yield people by their names in NAMES, each with a browser that has reached that state."""
    people = {name: live_stack.new_person() for name in NAMES}
    sign_up(people["unconfirmed"], "noa@shop.example")
    sign_up(people["new_account"], "fred@shop.example")
    confirm(live_stack, people["new_account"], "fred@shop.example")
    people["owner"].log_in(OWNER)
    join(people["bob"], invite(live_stack, people["owner"], "bob@halden.example"))
    turn_on_totp(people["owner"])
    people["awaiting_second_factor"].log_in(OWNER)
    people["past_due"].log_in("pastdue@demo.example")
    people["past_due"].open_again("/accounts/2fa/totp/activate/")
    people["canceled"].log_in("canceled@demo.example")
    for name in SEEDED:
        people[name].log_in(f"{name}@demo.example")
    yield people
    for person in people.values():
        person.page.context.close()


def sign_up(person: Person, email: str) -> None:
    """Submit the signup form and wait for the page that asks for the code from the mail."""
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
    """Invite an address; return the path of the link in its mail."""
    page = person.open("/dashboard/team/")
    page.get_by_label("Email address").fill(email)
    person.press("Send the invitation")
    return urlsplit(live_stack.read_mail(email, r"(http\S+/invitations/\S+)")).path


def join(person: Person, path: str) -> None:
    page = person.open(path)
    page.get_by_label("Your name").fill("Bob")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Join")
    page.wait_for_url("**/dashboard/")


def onboard(live_stack: LiveServerStack, email: str) -> str:
    """Request an account through the API; return the path of the link in its mail."""
    sent = {"name": "Nine Lives", "email": email}
    httpx.post(
        f"{live_stack.stack.url}/api/v1/customers/onboard", json=sent, trust_env=False
    ).raise_for_status()
    return urlsplit(live_stack.read_mail(email, r"(http\S+/onboarding/\S+)")).path


def forget_password(live_stack: LiveServerStack, person: Person, email: str) -> str:
    """Request a password reset; return the path of the link in its mail."""
    person.open("/accounts/password/reset/").get_by_label("Email").fill(email)
    person.page.get_by_role("main").get_by_role("button").first.click()
    return urlsplit(live_stack.read_mail(email, r"(http\S+/password/reset/key/\S+)")).path
