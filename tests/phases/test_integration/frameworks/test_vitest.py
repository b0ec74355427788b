"""Insertion into Vitest files: imports, placement, rendered code."""

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks import javascript
from tests.phases.test_integration.frameworks.javascript import (
    NAME,
    codes,
    parent_of,
    strategy_of,
    without_inserted,
)

ALL = "import { describe, expect, it } from 'vitest'\n"
WHOLE = f"describe('{NAME}', () => {{\n  it('x', () => {{\n    expect(1).toBe(2)\n  }})\n}})"


def insert(target: str, *codes: str, **others: str) -> Integration:
    return javascript.insert("vitest", target, *codes, **others)


class TestImports:
    def test_new_file_imports_what_it_uses(self):
        assert insert("").content.startswith(
            "import { describe, expect, it } from 'vitest';\n\ndescribe('sec"
        )

    def test_file_that_imports_test_uses_test(self):
        result = insert("import { test, expect } from 'vitest'\ntest('a', f)\n")
        assert result.content.startswith("import { test, expect } from 'vitest'\n")
        assert f"\ntest('{NAME}', () => {{" in result.content

    @pytest.mark.parametrize(
        ("imports", "extended"),
        [
            ("import { test } from 'vitest'", "import { test, describe, it, expect } from 'vitest'"),
            ("import { test, } from 'vitest'", "import { test, describe, it, expect, } from 'vitest'"),
            (
                "import {\n  test,\n} from 'vitest'",
                "import {\n  test,\n  describe,\n  it,\n  expect,\n} from 'vitest'",
            ),
            (
                "import { test as t } from 'vitest'",
                "import { test as t, describe, it, expect } from 'vitest'",
            ),
            (
                "import type { Mock } from 'vitest'\nimport { test } from 'vitest'",
                "import { test, describe, it, expect } from 'vitest'",
            ),
        ],
        ids=["plain", "comma", "lines", "alias", "types apart"],
    )
    def test_missing_names_are_added(self, imports, extended):
        name = "t" if " as t" in imports else "test"
        target = f"{imports}\n{name}('a', f)\n"
        result = insert(target, WHOLE)
        assert extended in result.content
        assert (result.method, without_inserted(result)) == ("ast", target)

    def test_namespace(self):
        target = "import * as v from 'vitest'\nv.describe('a', () => {\n  v.it('b', f)\n})\n"
        assert f"\n  v.it('{NAME}', () => {{" in insert(target).content
        result = insert(target, WHOLE)
        assert f"\n  v.describe('{NAME}', () => {{\n    v.it('x', () => {{\n      v.expect(" in result.content

    def test_uses_the_names_that_the_file_imports(self):
        target = "import { test as t, expect as e } from 'vitest';\n\nt('a', () => {\n  e(1).toBe(1);\n});\n"
        assert "\n  e(1).toBe(2);\n});\n" in insert(target).content
        assert "{ e(1).toBe(2); }" in insert(target, "it('x', () => { expect(1).toBe(2); });").content
        assert "expect(e).toBe(2);" in insert(target, "const e = 1;\nexpect(e).toBe(2);").content

    def test_globals_stay_globals(self):
        result = insert("describe('a', () => {\n  it('b', f)\n})\n", WHOLE)
        assert "import" not in result.content

    def test_imports_go_after_the_last_and_not_before_directives(self):
        target = "#!/usr/bin/env node\n'use strict'\n\ndescribe('a', () => {\n  it('b', f)\n})\n"
        code = f"import x from 'x'\nit('{NAME}', () => x)"
        assert insert(target, code).content.startswith(
            "#!/usr/bin/env node\n'use strict'\nimport x from 'x'\n"
        )
        first = "import a from 'a' // a\n" + target.partition("\n\n")[2]
        assert insert(first, code).content.startswith("import a from 'a' // a\nimport x from 'x'\n")

    def test_fixture_parameter_is_used_as_the_other_tests_do(self):
        target = "import { test, expect } from './fixtures'\ntest('a', async ({ page }) => {})\n"
        assert "async ({ page }) => {" in insert(target, "await page.goto('x')\nexpect(1).toBe(2)").content


class TestPlace:
    def test_concurrent_group_is_a_group(self):
        assert parent_of(insert(f"{ALL}describe.concurrent('a', () => {{\n  it('b', f)\n}})\n")) == "a"

    @pytest.mark.parametrize("modifier", ["skipIf(x)", "runIf(x)", "todo", "for([1])", "each([1])", "skip"])
    def test_other_groups_are_not(self, modifier):
        result = insert(f"{ALL}describe.{modifier}('a', () => {{\n  it('b', f)\n}})\n")
        assert (parent_of(result), strategy_of(result)) == ("module", "after_last_group")

    @pytest.mark.parametrize("option", ["skip: true", "only: true", "...options"])
    def test_group_with_an_option_that_keeps_it_from_running(self, option):
        result = insert(f"{ALL}describe('a', {{ {option} }}, () => {{\n  it('b', f)\n}})\n")
        assert parent_of(result) == "module"

    def test_group_with_a_timeout(self):
        assert parent_of(insert(f"{ALL}describe('a', {{ timeout: 5 }}, () => {{\n  it('b', f)\n}})\n")) == "a"

    def test_extended_test_is_the_files_own(self):
        target = f"{ALL}const dbTest = it.extend({{ db }})\n"
        target += "describe('a', () => {\n  dbTest('b', ({ db }) => {})\n})\n"
        assert f"\n  dbTest('{NAME}', ({{ db }}) => {{" in insert(target, "expect(db).toBe(1)").content

    def test_typeof_import_is_parsed(self):
        target = (
            f"{ALL}vi.mock('./a', async (load) => ({{\n  ...(await load<typeof import('./a')>()),\n}}))\n"
            "describe('a', () => {\n  it('b', f)\n})\n"
        )
        result = insert(target)
        assert (result.method, parent_of(result)) == ("ast", "a")
        assert "target_has_errors" not in codes(result)

    @pytest.mark.parametrize("code", ["const x = <any>y", "const f = <T>(x: T) => x"])
    def test_casts_of_typescript(self, code):
        result = insert(f"{ALL}{code}\ndescribe('a', () => {{\n  it('b', f)\n}})\n")
        assert (result.method, codes(result)) == ("ast", [])

    def test_top_level_await(self):
        assert insert(f"{ALL}await f()\ndescribe('a', () => {{\n  it('b', f)\n}})\n").method == "ast"

    def test_module_with_its_own_tests_is_rejected(self):
        target = "export const a = 1\nif (import.meta.vitest) {\n  import.meta.vitest.it('a', () => {})\n}\n"
        with pytest.raises(TargetRejected, match="import.meta.vitest"):
            insert(target)
        assert insert(ALL + "it('ignores import.meta.vitest', () => {})\n").method == "ast"


class TestWriting:
    def test_done_becomes_a_promise(self):
        result = insert(f"{ALL}it('a', () => {{}})\n", "f(done)")
        assert f"it('{NAME}', () => new Promise((resolve, reject) => {{\n  const done = " in result.content

    def test_focus_is_taken_out_of_the_test(self):
        result = insert(
            f"{ALL}it('a', f)\n", f"describe.only('{NAME}', () => {{\n  it.skip('x', f)\n  fit('y', f)\n}})"
        )
        assert f"describe('{NAME}', () => {{\n  it('x', f)\n  it('y', f)\n}})" in result.content

    def test_module_mock_is_reported(self):
        assert codes(insert(f"{ALL}it('a', f)\n", "vi.mock('./a')\nexpect(1).toBe(2)")) == [
            "mocks_for_whole_file"
        ]

    def test_names_do_not_set_the_environment(self):
        content = insert(f"{ALL}it('a', f)\n", name="@vitest-environment x").content
        assert "@vitest-environment" not in content

    @pytest.mark.parametrize(
        "code",
        [
            "const f = () => { await g() }",
            "function f() { yield 1 }",
            "const x = 1\nconst x = 2",
            "break",
            "const x = await f()\nit('y', () => x)",
            "function f(x) { expect(x).toBe(1) }",
        ],
        ids=["await", "yield", "twice", "break", "await at the top", "only a function"],
    )
    def test_code_that_would_break_the_file_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(f"{ALL}it('a', f)\n", code)

    def test_options_that_focus_are_switched_off(self):
        content = insert(f"{ALL}it('a', f)\n", f"it('{NAME}', {{ only: true, retry: 1 }}, f)").content
        assert f"it('{NAME}', {{ only: false, retry: 1 }}, f)" in content

    def test_only_a_function_is_called(self):
        result = insert(f"{ALL}it('a', f)\n", "function check() {\n  expect(1).toBe(2)\n}")
        assert "return check()" in result.content

    def test_types_are_taken_by_typescript_and_by_a_file_that_has_some(self):
        code = "const x: number = 1\nexpect(x).toBe(2)"
        assert codes(insert(f"{ALL}it('a', f)\n", code)) == []
        result = javascript.insert("vitest", "const x: T = 1\n", code, language="javascript")
        assert "const x: number = 1" in result.content

    def test_types_are_rejected_for_javascript(self):
        with pytest.raises(InvalidTestCode, match="has types"):
            javascript.insert("vitest", f"{ALL}it('a', f)\n", "const x: number = 1", language="javascript")

    def test_javascript_comparisons_are_not_type_arguments(self):
        result = javascript.insert("vitest", f"{ALL}it('a', f)\n", "f(a < b, c > (d))", language="javascript")
        assert "f(a < b, c > (d))" in result.content
