"""What the browser's tests share: RSOLV's processes, a Stripe of its own, Chromium. Nothing is mocked."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from sandbox.processes import Supervisor, pick_port
from sandbox.stack import Stack
from sandbox.staging.cast import BEGINS_DAYS_AGO

from .house import PATIENCE, House, Person

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing = "needs chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI never skips the browser's tests: {missing}")
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """RSOLV with the demo's customers, each in another state."""
    stack = Stack(tmp_path_factory.mktemp("rsolv"), pick_port(8790), pick_port(8791))
    logs = stack.data_dir / "log"
    for folder in (logs, stack.data_dir / "mail"):
        folder.mkdir()
    with Supervisor(environment=stack.environment, log_dir=logs, patience=1) as supervisor:
        stack.start_stripe(supervisor, clock=int(time.time()) - BEGINS_DAYS_AGO * 86400)
        stack.start_web(supervisor)
        stack.start_worker(supervisor)
        stack.wait_for_stripe(supervisor)
        staging = [sys.executable, "-m", "tests.browser.staging"]
        subprocess.run(staging, check=True, env=os.environ | stack.environment, stdout=subprocess.DEVNULL)
        yield House(stack, supervisor, chromium)


@pytest.fixture
def person(house: House) -> Iterator[Person]:
    """Somebody whom RSOLV does not know yet."""
    somebody = house.invite_person()
    yield somebody
    somebody.page.context.close()


@pytest.fixture
def other(house: House) -> Iterator[Person]:
    """Another one, with another browser."""
    somebody = house.invite_person()
    yield somebody
    somebody.page.context.close()
