"""Real Vitest runs: old tests pass, the new one fails by assertion until the code is fixed."""

import json
from pathlib import Path

import pytest

from tests.phases.test_integration.runners import javascript
from tests.phases.test_integration.runners.javascript import FIXED, MODULE, NAME, VULNERABLE

pytestmark = pytest.mark.slow

CODE = 'expect(find("\' OR 1=1 --")).not.toContain("OR 1=1")'
SHOP = "import { find } from './shop'\n"
ALL = "import { describe, expect, it } from 'vitest'\n"
OLD = "it('old', () => { expect(find('x')).toContain('SELECT') })"
GROUP = f"describe('shop', () => {{\n  {OLD}\n}})\n"
WHOLE = f"describe('{NAME}', () => {{\n  it('is clean', () => {{\n    {CODE}\n  }})\n}})"
FILES = {
    "group.test.js": (ALL + SHOP + GROUP, CODE),
    "test_only.test.js": (
        f"import {{ test, expect }} from 'vitest'\n{SHOP}{OLD.replace('it(', 'test(')}\n",
        f"import {{ describe, it, expect, vi }} from 'vitest'\n{WHOLE}",
    ),
    "namespace.test.js": (
        f"import * as v from 'vitest'\n{SHOP}v.describe('shop', () => {{\n"
        "  v.it('old', () => { v.expect(find('x')).toContain('SELECT') })\n})\n",
        WHOLE,
    ),
    "alias.test.js": (
        f"import {{\n  it as spec,\n  expect,\n}} from 'vitest'\n{SHOP}{OLD.replace('it(', 'spec(')}\n",
        WHOLE,
    ),
    "nested.test.js": (f"{ALL}{SHOP}it.describe ?? 0\n{GROUP}", f"import {{ find }} from './shop'\n{CODE}"),
    "imports.test.js": (
        f"import {{ describe, expect, it }} from 'vitest'\nimport * as shop from './shop'\n"
        f"const find = shop.find\n{GROUP}",
        "import { find as search } from './shop'\n" + CODE.replace("find", "search"),
    ),
    "done.test.js": (
        ALL + SHOP + GROUP,
        f"setTimeout(() => {{\n  try {{ {CODE}; done() }} catch (error) {{ done(error) }}\n}}, 1)",
    ),
    "extended.test.ts": (
        f"{ALL}{SHOP}const dbTest = it.extend<{{ db: string }}>({{\n"
        "  db: async ({}, use) => { await use('x') },\n})\n"
        "describe('shop', () => {\n"
        "  dbTest('old', ({ db }) => { expect(find(db)).toContain('SELECT') })\n})\n",
        "const query: string = find(db + \"' OR 1=1 --\")\nexpect(query).not.toContain('OR 1=1')",
    ),
    "mock.test.ts": (
        f"import {{ vi }} from 'vitest'\n{ALL}{SHOP}vi.mock('./other', async (load) => ({{\n"
        f"  ...(await load<typeof import('./shop')>()),\n}}))\n{GROUP}",
        CODE,
    ),
    "concurrent.test.js": (f"{ALL}{SHOP}describe.concurrent('shop', () => {{\n  {OLD}\n}})\n", CODE),
    "empty.test.js": ("", f"import {{ find }} from './shop'\n{CODE}"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    javascript.need_node("vitest")
    return javascript.make_project(tmp_path_factory.mktemp("vitest"), "vitest", FILES, "module")


def outcomes(project: Path, shop: str) -> list[tuple[str, str, str]]:
    """Return file, status and failure message of every test that ran."""
    (project / "shop.js").write_text(shop + MODULE)
    command = (
        "node_modules/vitest/vitest.mjs",
        "run",
        "--reporter=json",
        "--no-isolate",
        "--no-file-parallelism",
    )
    report = json.loads(javascript.run(project, *command))
    assert all(each["assertionResults"] for each in report["testResults"]), report
    return [
        (Path(each["name"]).name, test["status"], "".join(test["failureMessages"]))
        for each in report["testResults"]
        for test in each["assertionResults"]
    ]


def test_new_tests_fail_by_assertion_and_old_ones_pass(project):
    results = outcomes(project, VULNERABLE)
    assert sorted(name for name, status, _ in results if status == "failed") == sorted(FILES)
    passed = sorted(name for name, status, _ in results if status == "passed")
    assert passed == sorted(FILES.keys() - {"empty.test.js"})
    assert all("AssertionError" in message for _, status, message in results if status == "failed")


def test_all_pass_on_fixed_code(project):
    results = outcomes(project, FIXED)
    assert {status for _, status, _ in results} == {"passed"}
    assert len(results) == 2 * len(FILES) - 1
