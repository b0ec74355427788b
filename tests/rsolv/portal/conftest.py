"""The names of tests/tenants.py that the tests of billing import from here."""

from tests.tenants import Browser, alice, mallory, open_browser  # noqa: F401
