"""Fixtures of the browser tests: RSOLV's processes, a Stripe sandbox and Chromium. Nothing is mocked."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from .live_server_stack import TIMEOUT, LiveServerStack, Person, start_live_server_stack

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
            pytest.fail(f"CI never skips the browser tests: {missing}")
        pytest.skip(missing)
    expect.set_options(timeout=TIMEOUT * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def live_stack(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServerStack]:
    """RSOLV with the demo's customers, each in a different state."""
    with start_live_server_stack(chromium, tmp_path_factory.mktemp("rsolv")) as opened:
        yield opened


@pytest.fixture
def empty_stack(chromium: Browser, tmp_path: Path) -> Iterator[LiveServerStack]:
    """RSOLV without customers, with a Stripe clock that only this test moves."""
    with start_live_server_stack(chromium, tmp_path, is_seeded=False) as opened:
        yield opened


@pytest.fixture
def person(live_stack: LiveServerStack) -> Iterator[Person]:
    """A person without a login."""
    new = live_stack.new_person()
    yield new
    new.page.context.close()


@pytest.fixture
def bob(live_stack: LiveServerStack) -> Iterator[Person]:
    """A person whom an owner invites, with a separate browser."""
    new = live_stack.new_person()
    yield new
    new.page.context.close()


@pytest.fixture
def other(live_stack: LiveServerStack) -> Iterator[Person]:
    """A second person, with a separate browser."""
    new = live_stack.new_person()
    yield new
    new.page.context.close()
