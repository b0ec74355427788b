"""What the browser's tests share: RSOLV's processes, a Stripe of its own, Chromium. Nothing is mocked."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from .house import PATIENCE, House, Person, open_house

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
    with open_house(chromium, tmp_path_factory.mktemp("rsolv")) as opened:
        yield opened


@pytest.fixture
def empty_house(chromium: Browser, tmp_path: Path) -> Iterator[House]:
    """RSOLV without a customer, whose Stripe's clock nobody else goes by."""
    with open_house(chromium, tmp_path, is_staged=False) as opened:
        yield opened


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
