"""Check the open page with axe and for its width: light and dark, on a desktop and on a phone."""

from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from .live_server_stack import DESKTOP, PHONE, Person

Shade = Literal["dark", "light"]
Appearance = tuple[Shade, ViewportSize]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
SHADES: tuple[Shade, ...] = ("dark", "light")
APPEARANCES: tuple[Appearance, ...] = (
    ("dark", DESKTOP),
    ("dark", PHONE),
    ("light", PHONE),
    ("light", DESKTOP),
)
# Two runs of axe cover both color schemes and both layouts.
AXE_APPEARANCES: tuple[Appearance, ...] = (("dark", PHONE), ("light", DESKTOP))
WIDTHS = (360, 2560)
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


def check_page(person: Person, name: str) -> list[str]:
    """Return the findings about the page that a person has open, and save its screenshots under the name."""
    page, findings = person.page, list[str]()
    for shade, size in APPEARANCES:
        # Without motion: axe would measure the contrast of colors in transition.
        page.emulate_media(color_scheme=shade, reduced_motion="reduce")
        page.set_viewport_size(size)
        page.screenshot(path=SCREENSHOTS / f"{name}-{shade}-{size['width']}.png", full_page=True)
        findings += find_overflow(page)
        if (shade, size) in AXE_APPEARANCES:
            findings += [f"{shade}, {size['width']} px: {each}" for each in run_axe(page)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        findings += find_overflow(page)
    page.set_viewport_size(DESKTOP)
    return findings + person.console_errors


def find_overflow(page: Page) -> list[str]:
    is_wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [f"scrolls sideways at {page.evaluate('innerWidth')} px"] if is_wider else []


def run_axe(page: Page) -> list[str]:
    """Return axe's serious and critical findings."""
    violations: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
