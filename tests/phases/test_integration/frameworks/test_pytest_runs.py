"""Real pytest runs: old tests pass, the new one fails by assertion until the code is fixed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from phases.test_integration.services import generate

VULNERABLE = "def find(name):\n    return f\"SELECT * FROM users WHERE name = '{name}'\"\n"
FIXED = "def find(name):\n    return ('SELECT * FROM users WHERE name = ?', name)[0]\n"

FILES = {
    "test_functions.py": (
        "import pytest\n\nfrom shop import find\n\n\n@pytest.fixture\ndef lookup():\n    return find\n\n\n"
        "def test_old(lookup):\n    assert 'SELECT' in lookup('x')\n"
    ),
    "test_classes.py": (
        "from shop import find\n\n\nclass TestOther:\n    def test_old(self):\n        assert True\n\n\n"
        "class TestShop:\n    def setup_method(self):\n        self.lookup = find\n\n"
        "    def test_old(self):\n        assert self.lookup('x')\n\n\n"
        "if __name__ == '__main__':\n    raise SystemExit\n"
    ),
    "test_cases.py": (
        "import unittest\r\n\r\nfrom shop import find\r\n\r\n\r\nclass ShopTest(unittest.TestCase):\r\n"
        "\tdef test_old(self):\r\n\t\tself.assertTrue(find('x'))"
    ),
    "test_async.py": (
        "import pytest\n\nfrom shop import find\n\npytestmark = pytest.mark.anyio\n\n\n"
        "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n\n\n"
        "async def test_old():\n    assert find('x')\n"
    ),
    "test_whole.py": "from shop import find\n\n\ndef test_old():\n    assert find('x')\n",
    "test_empty.py": "",
}
CODES = {
    "test_functions.py": "query = lookup(\"' OR 1=1 --\")\nassert 'OR 1=1' not in query",
    "test_classes.py": "assert 'OR 1=1' not in self.lookup(\"' OR 1=1 --\")",
    "test_cases.py": "    query = find(\"' OR 1=1 --\")\n    self.assertNotIn('OR 1=1', query)",
    "test_async.py": "import anyio\nawait anyio.sleep(0)\nassert 'OR 1=1' not in find(\"' OR 1=1 --\")",
    "test_whole.py": (
        'import re\nfrom shop import find\n\nATTACK = "\' OR 1=1 --"\n\n\n'
        "def query():\n    return find(ATTACK)\n\n\n"
        "class TestInjection:\n    def test_query_is_clean(self):\n"
        "        assert not re.search('OR 1=1', query())\n"
    ),
    "test_empty.py": "from shop import find\nassert 'OR 1=1' not in find(\"' OR 1=1 --\")",
}


def run(directory: Path, shop: str) -> tuple[dict[str, str], str]:
    """Return the outcome of every test, and the whole output."""
    (directory / "shop.py").write_text(shop)
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "DJANGO"))
    }
    command = [sys.executable, "-B", "-m", "pytest", "-v", "-p", "no:django", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(directory), str(directory)],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return dict(re.findall(r"^(\S+::\S+) (PASSED|FAILED|ERROR)", finished.stdout, re.M)), finished.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    for name, content in FILES.items():
        red_test = {
            "testName": "keeps quotes out of the query",
            "testCode": CODES[name],
            "attackVector": "' OR 1=1 --",
            "vulnerableCodePath": "shop.py",
        }
        result = generate(
            target_file_content=content, red_tests=[red_test], framework="pytest", language="python"
        )
        (directory / name).write_bytes(result.content.encode())
    return directory


@pytest.fixture(scope="module")
def outcome(project: Path) -> tuple[dict[str, str], str]:
    return run(project, VULNERABLE)


class TestOnVulnerableCode:
    def test_old_tests_pass(self, outcome):
        old = {test: result for test, result in outcome[0].items() if test.endswith("test_old")}
        assert len(old) == 6
        assert set(old.values()) == {"PASSED"}

    def test_every_new_one_fails(self, outcome):
        new = {test: result for test, result in outcome[0].items() if not test.endswith("test_old")}
        assert {test.partition("::")[0] for test in new} == set(FILES)
        assert len(new) == len(FILES)
        assert set(new.values()) == {"FAILED"}

    def test_they_fail_by_assertion(self, outcome):
        raised = re.findall(r"^\S+\.py:\d+: (\w+)$", outcome[1], re.M)
        assert raised == ["AssertionError"] * len(FILES)

    def test_the_output_says_security(self, outcome):
        assert outcome[1].count("# security: keeps quotes out of the query") == len(FILES)


class TestOnFixedCode:
    def test_all_pass(self, project):
        outcomes, output = run(project, FIXED)
        assert len(outcomes) == 12, output
        assert set(outcomes.values()) == {"PASSED"}
