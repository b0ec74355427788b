"""The names of tests/browsers.py that the tests of billing import from here."""

from tests.browsers import Browser, alice, mallory, open_browser  # noqa: F401
