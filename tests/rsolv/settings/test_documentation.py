"""docs/configuration.md lists every environment variable that the product reads."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = set((ROOT / "rsolv/settings").glob("*.py")) - {ROOT / "rsolv/settings/test.py"}
SOURCES = (*SETTINGS, ROOT / "deploy/gunicorn.conf.py")
READ = re.compile(r"""(?:\benv(?:\.\w+)?\(\s*|\benviron(?:\.get\(\s*|\[))["']([A-Z][A-Z0-9_]+)["']""")


def test_every_variable_is_documented():
    read = {name for source in SOURCES for name in READ.findall(source.read_text())}
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs/configuration.md").read_text()))
    assert len(read) > 40
    assert read - documented == set()
