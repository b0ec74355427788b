"""RSOLV in real processes, and people who use it with a browser."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from sandbox.processes import Supervisor, pick_port
from sandbox.seed.personas import BEGINS_DAYS_AGO, PASSWORD
from sandbox.stack import Stack
from sandbox.stripe.mails import read_all

# Long, because the machine may be busy.
TIMEOUT = 120.0
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass
class Person:
    """A person with a browser of their own. `console_errors` are those of the page that is open."""

    page: Page
    console_errors: list[str]

    def open(self, path: str) -> Page:
        """Open a page. `console_errors` then has the errors since that."""
        self.console_errors.clear()
        self.page.goto(path)
        return self.page

    def log_in(self, email: str, password: str = PASSWORD) -> Page:
        page = self.open("/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        self.press("Log in")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        return page

    def open_again(self, path: str) -> Page:
        """Open a page, and enter the password if it requires reauthentication."""
        page = self.open(path)
        if "/reauthenticate/" in page.url:
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            self.press("Go on")
            page.wait_for_url(f"**{path}")
        return page

    def press(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


@dataclass
class LiveServerStack:
    """The running processes and the browser of the tests."""

    stack: Stack
    supervisor: Supervisor
    chromium: Browser

    def new_person(self) -> Person:
        """Return a person with a new desktop browser who is not logged in."""
        context = self.chromium.new_context(base_url=self.stack.url, viewport=DESKTOP)
        context.set_default_timeout(TIMEOUT * 1000)
        person = Person(context.new_page(), [])
        person.page.on(
            "console", lambda line: person.console_errors.append(line.text) if line.type == "error" else None
        )
        person.page.on("pageerror", lambda error: person.console_errors.append(str(error)))
        return person

    def read_mail(self, to: str, pattern: str) -> str:
        """Return the first group of the pattern in a mail to the address; wait until there is one."""
        found: list[str] = []

        def has_come() -> bool:
            mails = [mail for mail in read_all(str(self.mail_dir)) if to in mail.to]
            matches = [re.search(pattern, mail.text, re.M) for mail in mails]
            found[:] = [match[1] for match in matches if match]
            return bool(found)

        self.supervisor.wait_for(f"a mail to {to}", has_come, TIMEOUT)
        return found[0]

    @property
    def mail_dir(self) -> Path:
        return self.stack.data_dir / "mail"


@contextmanager
def start_live_server_stack(
    chromium: Browser, data_dir: Path, *, is_seeded: bool = True
) -> Iterator[LiveServerStack]:
    """Start all processes, with the demo's customers or without any; stop them afterwards."""
    stack = Stack(data_dir, pick_port(_choose_port(8790)), pick_port(_choose_port(8791)))
    logs = stack.data_dir / "log"
    for folder in (logs, stack.data_dir / "mail"):
        folder.mkdir()
    with Supervisor(environment=stack.environment, log_dir=logs, stop_timeout=1) as supervisor:
        stack.start_stripe(supervisor, clock=int(time.time()) - BEGINS_DAYS_AGO * 86400 * is_seeded)
        stack.start_web(supervisor)
        stack.start_worker(supervisor)
        stack.wait_for_stripe(supervisor, TIMEOUT)
        command = [sys.executable, "-m", "tests.browser.seed", *([] if is_seeded else ["--empty"])]
        subprocess.run(command, check=True, env=os.environ | stack.environment, stdout=subprocess.DEVNULL)
        yield LiveServerStack(stack, supervisor, chromium)


def _choose_port(first: int) -> int:
    """Return another port for each of pytest's parallel processes."""
    return first + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
