"""Real Jest runs: old tests pass, the new one fails by assertion until the code is fixed."""

import json
from pathlib import Path

import pytest

from tests.phases.test_integration.runners import javascript
from tests.phases.test_integration.runners.javascript import COMMON_JS, FIXED, NAME, VULNERABLE

pytestmark = pytest.mark.slow

CODE = 'expect(find("\' OR 1=1 --")).not.toContain("OR 1=1");'
SHOP = "const { find } = require('./shop');\n"
OLD = "it('old', () => { expect(find('x')).toContain('SELECT'); });"
TYPED = OLD.replace("() =>", "(): void =>")
FILES = {
    "group.test.js": (f"'use strict';\n{SHOP}describe('shop', () => {{\n  {OLD}\n}});\n", CODE),
    "crlf.test.js": (f"{SHOP}describe('shop', () => {{\n\t{OLD}\n}});".replace("\n", "\r\n"), CODE),
    "top.test.js": (
        SHOP + OLD.replace("it(", "test(").replace("; });", " })") + "\n;[1].forEach(() => {})\n",
        CODE,
    ),
    "oneline.test.js": (f"{SHOP}describe('shop', () => {{ {OLD} }})\n", CODE),
    "arrow.test.js": (f"{SHOP}describe('shop', () => {OLD.rstrip(';')});\n", CODE),
    "skipped.test.js": (
        f"{SHOP}{OLD}\ndescribe.skip('other', () => {{\n  it('never', () => {{}});\n}});\n",
        CODE,
    ),
    "each.test.js": (f"{SHOP}describe.each([1])('%s', () => {{\n  {OLD}\n}});\n", CODE),
    "globals.test.js": (
        f"const {{ it, expect }} = require('@jest/globals');\n{SHOP}{OLD}\n",
        f"describe('{NAME}', () => {{\n  it('is clean', () => {{\n    {CODE}\n  }});\n}});",
    ),
    "await.test.js": (
        f"{SHOP}describe('shop', () => {{\n  {OLD}\n}});\n",
        f"import {{ find as search }} from './shop';\nawait null;\n{CODE.replace('find', 'search')}",
    ),
    "done.test.js": (
        f"{SHOP}describe('shop', () => {{\n  {OLD}\n}});\n",
        f"setTimeout(() => {{\n  try {{ {CODE} done(); }} catch (error) {{ done(error); }}\n}}, 1);",
    ),
    "whole.test.js": (
        f"{SHOP}describe('shop', () => {{\n  {OLD}\n}});\n",
        'const text = `\n  x`;\nlet query;\nbefore(() => { query = find("\' OR 1=1 --"); });\n'
        "specify('is clean', () => {\n  expect(query + text).not.toContain('OR 1=1');\n});",
    ),
    "empty.test.js": ("", "import { find } from './shop';\n" + CODE),
    "typed.test.tsx": (
        f"const same = <T,>(x: T): T => x;\n{SHOP}describe('shop', (): void => {{\n  {TYPED}\n}});\n",
        "const query: string = find(\"' OR 1=1 --\");\nexpect(query).not.toContain('OR 1=1');",
    ),
}
TRANSFORM = """
const ts = require('typescript');
module.exports = { process: (source, path) => ({ code: ts.transpileModule(source, {
  fileName: path, compilerOptions: { target: 99, module: 1, jsx: 2 } }).outputText }) };
"""
CONFIG = {"transform": {"\\.tsx$": "<rootDir>/transform.js"}, "testEnvironment": "node", "cache": False}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    javascript.need_node("jest")
    directory = tmp_path_factory.mktemp("jest")
    (directory / "jest.config.json").write_text(json.dumps(CONFIG))
    (directory / "transform.js").write_text(TRANSFORM)
    return javascript.make_project(directory, "jest", FILES, "commonjs")


def outcomes(project: Path, shop: str) -> list[tuple[str, str, str]]:
    """Return file, status and failure message of every test that ran."""
    (project / "shop.js").write_text(shop + COMMON_JS)
    report = json.loads(javascript.run(project, "node_modules/jest/bin/jest.js", "--ci", "--json", "-i"))
    assert all(each["assertionResults"] for each in report["testResults"]), report
    return [
        (Path(each["name"]).name, test["status"], "".join(test["failureMessages"]))
        for each in report["testResults"]
        for test in each["assertionResults"]
        if test["status"] != "pending"
    ]


def test_new_tests_fail_by_assertion_and_old_ones_pass(project):
    results = outcomes(project, VULNERABLE)
    passed = sorted(name for name, status, _ in results if status == "passed")
    failed = sorted(name for name, status, _ in results if status == "failed")
    assert failed == sorted(FILES)
    assert passed == sorted(FILES.keys() - {"empty.test.js"})
    assert all(
        "expect(received).not.toContain" in message for _, status, message in results if status == "failed"
    )


def test_all_pass_on_fixed_code(project):
    results = outcomes(project, FIXED)
    assert {status for _, status, _ in results} == {"passed"}
    assert len(results) == 2 * len(FILES) - 1
