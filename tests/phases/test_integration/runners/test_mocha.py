"""Real Mocha runs: old tests pass, the new one fails by assertion until the code is fixed."""

import json
from pathlib import Path

import pytest

from tests.phases.test_integration.runners import javascript
from tests.phases.test_integration.runners.javascript import COMMON_JS, FIXED, NAME, VULNERABLE

pytestmark = pytest.mark.slow

CODE = "assert.ok(!find(\"' OR 1=1 --\").includes('OR 1=1'));"
SHOP = "const assert = require('assert');\nconst { find } = require('./shop');\n"
OLD = "it('old', function () { assert.ok(find('x')); });"
GROUP = f"describe('shop', function () {{\n  {OLD}\n}});\n"
WHOLE = f"describe('{NAME}', () => {{\n  test('is clean', () => {{\n    {CODE}\n  }});\n}});"
BDD = {
    "group.js": (f"#!/usr/bin/env node\n'use strict';\n{SHOP}{GROUP}", CODE),
    "required.js": (f"const {{ it }} = require('mocha');\n{SHOP}{OLD}\n", WHOLE),
    "timeout.js": (
        f"{SHOP}{GROUP.replace('  it', '  this.timeout(500); it')}",
        "this.slow(5);\n" + CODE,
    ),
    "chained.js": (
        f"{SHOP}describe('shop', () => {{\n  {OLD.rstrip(';')}.timeout(500)\n}}).timeout(900)\n",
        CODE,
    ),
    "jestlike.js": (
        SHOP + GROUP,
        'let query;\nbeforeAll(() => { query = find("\' OR 1=1 --"); });\n'
        "test('is clean', () => { assert.ok(!query.includes('OR 1=1')); });",
    ),
    "unbound.js": (f"const {{ find }} = require('./shop');\n{GROUP.replace('assert.ok', '')}", CODE),
    "loop.js": (
        f"{SHOP}for (const x of [1]) {{\n  describe(`shop ${{x}}`, () => {{\n    {OLD}\n  }});\n}}\n",
        CODE,
    ),
    "await.js": (
        SHOP + GROUP,
        "import { find as search } from './shop';\nawait null;\n" + CODE.replace("find", "search"),
    ),
    "done.js": (
        SHOP + GROUP,
        f"setTimeout(() => {{\n  try {{ {CODE} done(); }} catch (e) {{ done(e); }}\n}}, 1);",
    ),
    "matchers.js": (SHOP + GROUP, "expect(find(\"' OR 1=1 --\")).not.toContain('OR 1=1');"),
    "empty.js": ("", "const { find } = require('./shop');\n" + CODE),
}
TDD = {
    "tdd.js": (
        f"{SHOP}suite('shop', () => {{\n  test('old', () => {{ assert.ok(find('x')); }});\n}});\n",
        CODE,
    ),
    "tdd_whole.js": (
        f"{SHOP}suite('shop', () => {{\n  test('old', () => {{ assert.ok(find('x')); }});\n}});\n",
        f"describe('{NAME}', () => {{\n  beforeEach(() => {{}});\n"
        f"  it('is clean', () => {{\n    {CODE}\n  }});\n}});",
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    javascript.need_node("mocha")
    return javascript.make_project(tmp_path_factory.mktemp("mocha"), "mocha", BDD | TDD, "commonjs")


def outcomes(
    project: Path, shop: str, interface: str, files: list[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the files of passed tests, and the files and error names of failed ones."""
    (project / "shop.js").write_text(shop + COMMON_JS)
    command = ("node_modules/mocha/bin/mocha.js", "--reporter", "json", "--ui", interface, *files)
    report = json.loads(javascript.run(project, *command))
    failures = [(Path(each["file"]).name, each["err"].get("name", "")) for each in report["failures"]]
    return sorted(Path(each["file"]).name for each in report["passes"]), sorted(failures)


@pytest.mark.parametrize(("interface", "files"), [("bdd", BDD), ("tdd", TDD)])
def test_new_tests_fail_by_assertion_and_old_ones_pass(project, interface, files):
    passed, failed = outcomes(project, VULNERABLE, interface, sorted(files))
    assert failed == [(name, "AssertionError") for name in sorted(files)]
    assert passed == sorted(files.keys() - {"empty.js"})


@pytest.mark.parametrize(("interface", "files"), [("bdd", BDD), ("tdd", TDD)])
def test_all_pass_on_fixed_code(project, interface, files):
    passed, failed = outcomes(project, FIXED, interface, sorted(files))
    assert failed == []
    assert len(passed) == 2 * len(files) - ("empty.js" in files)
