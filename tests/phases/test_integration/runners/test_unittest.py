"""Real unittest runs: old tests pass, the new one fails by assertion until the code is fixed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from phases.test_integration.services import generate

pytestmark = pytest.mark.slow

VULNERABLE = "def find(name):\n    return f\"SELECT * FROM users WHERE name = '{name}'\"\n"
FIXED = "def find(name):\n    return ('SELECT * FROM users WHERE name = ?', name)[0]\n"
OLD = "    def test_old(self):\n        self.assertTrue(find('x'))\n"

FILES = {
    "test_one.py": f"import unittest\n\nfrom shop import find\n\n\nclass ShopTest(unittest.TestCase):\n{OLD}"
    "\n\nif __name__ == '__main__':\n    unittest.main()\n",
    "test_two.py": "from unittest import TestCase\r\n\r\nfrom shop import find\r\n\r\n\r\n"
    "class ShopTest(TestCase):\r\n\tdef setUp(self):\r\n\t\tself.find = find\r\n\r\n"
    "\tdef test_old(self):\r\n\t\tself.assertTrue(self.find('x'))",
    "test_mixin.py": f"import unittest\n\nfrom shop import find\n\n\nclass Base:\n{OLD}\n\n"
    "class ATest(Base, unittest.TestCase):\n    pass\n\n\nclass BTest(Base, unittest.TestCase):\n    pass\n",
    "test_async.py": f"import unittest\n\nfrom shop import find\n\n\nclass ATest(unittest.TestCase):\n{OLD}",
    "test_whole.py": f"import unittest\n\nfrom shop import find\n\n\nclass ATest(unittest.TestCase):\n{OLD}",
    "test_empty.py": "",
}
CODES = {
    "test_one.py": "self.assertNotIn('OR 1=1', find(\"' OR 1=1 --\"))",
    "test_two.py": "self.assertNotIn('OR 1=1', self.find(\"' OR 1=1 --\"))",
    "test_mixin.py": "self.assertNotIn('OR 1=1', find(\"' OR 1=1 --\"))",
    "test_async.py": "import asyncio\nawait asyncio.sleep(0)\nassert 'OR 1=1' not in find(\"' OR 1=1 --\")",
    "test_whole.py": 'ATTACK = "\' OR 1=1 --"\n\n\ndef query():\n    return find(ATTACK)\n\n\n'
    "def test_clean():\n    assert 'OR 1=1' not in query()\n",
    "test_empty.py": "from shop import find\n\n\nclass TestClean:\n    def test_clean(self):\n"
    "        assert 'OR 1=1' not in find(\"' OR 1=1 --\")\n",
}


def run(directory: Path, shop: str) -> tuple[dict[str, str], str]:
    """Return the outcome of every test, and the whole output."""
    (directory / "shop.py").write_text(shop)
    finished = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "-v"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = finished.stderr
    return dict(re.findall(r"^\w+ \((\S+)\) \.\.\. (ok|FAIL|ERROR)", output, re.M)), output


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
            target_file_content=content, red_tests=[red_test], framework="unittest", language="python"
        )
        (directory / name).write_bytes(result.content.encode())
    return directory


@pytest.fixture(scope="module")
def outcome(project: Path) -> tuple[dict[str, str], str]:
    return run(project, VULNERABLE)


class TestOnVulnerableCode:
    def test_old_tests_pass(self, outcome):
        old = {test: result for test, result in outcome[0].items() if test.endswith("test_old")}
        assert len(old) == 6, outcome[1]
        assert set(old.values()) == {"ok"}

    def test_every_new_one_fails_by_assertion(self, outcome):
        new = {test: result for test, result in outcome[0].items() if not test.endswith("test_old")}
        assert {test.partition(".")[0] + ".py" for test in new} == set(FILES)
        assert len(new) == len(FILES)
        assert set(new.values()) == {"FAIL"}


class TestOnFixedCode:
    def test_all_pass(self, project):
        outcomes, output = run(project, FIXED)
        assert len(outcomes) == 12, output
        assert set(outcomes.values()) == {"ok"}
