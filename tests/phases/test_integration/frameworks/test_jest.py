"""Insertion into Jest files: placement, rendered code, warnings."""

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks import javascript
from tests.phases.test_integration.frameworks.javascript import (
    codes,
    dedent,
    parent_of,
    strategy_of,
    without_inserted,
)

MARKS = "// security: rejects SQL injection\n// attack vector: ' OR 1=1 --\n"
ONE = "describe('a', () => {\n  it('b', () => {});\n});\n"


def insert(target: str, *codes: str, **others: str) -> Integration:
    return javascript.insert("jest", target, *codes, **others)


class TestPlace:
    def test_goes_after_the_last_it_of_a_group(self):
        result = insert("describe('a', () => {\n  it('b', () => {});\n});\n\nconst x = 1;\n")
        assert result.content == dedent("""
            describe('a', () => {
              it('b', () => {});

              it('rejects SQL injection', () => {
                // security: rejects SQL injection
                // attack vector: ' OR 1=1 --
                expect(1).toBe(2);
              });
            });

            const x = 1;
            """)
        assert result.point is not None
        assert (result.method, result.point.line, result.point.parent) == ("ast", 3, "a")
        assert result.point.strategy == "after_last_it_block"

    def test_joins_top_level_tests(self):
        result = insert("test('a', () => {});\n\nfunction helper() {}\n")
        assert strategy_of(result) == "after_last_test"
        assert "\n\ntest('rejects SQL injection'," in result.content
        assert result.content.index("rejects") < result.content.index("helper")

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("")
        assert (result.method, result.point) == ("append", None)
        assert result.content.startswith(
            "describe('security', () => {\n  it('rejects SQL injection', () => {"
        )

    @pytest.mark.parametrize(
        "unfit",
        [
            "describe.skip('b', () => {\n  it('c', () => {});\n});\n",
            "describe.only('b', () => {\n  it('c', () => {});\n});\n",
            "xdescribe('b', () => {\n  it('c', () => {});\n});\n",
            "fdescribe('b', () => {\n  it('c', () => {});\n});\n",
            "describe.each([1])('b', () => {\n  it('c', () => {});\n});\n",
            "describe.each`a\n${1}`('b', () => {\n  it('c', () => {});\n});\n",
            "for (const x of y) {\n  describe('b', () => {\n    it('c', () => {});\n  });\n}\n",
            "if (x) {\n  describe('b', () => {\n    it('c', () => {});\n  });\n}\n",
            "[1].forEach((x) => {\n  describe('b', () => {\n    it('c', () => {});\n  });\n});\n",
            "describe('b', () => {\n  if (x) return;\n  it('c', () => {});\n});\n",
            "describe.skip('b', () => {\n  describe('c', () => {\n    it('d', () => {});\n  });\n});\n",
            "function shared() {\n  describe('b', () => {\n    it('c', () => {});\n  });\n}\nshared();\n",
            "const when = x ? describe : describe.skip;\nwhen('b', () => {\n  it('c', () => {});\n});\n",
            "describe('b', () => it('c', () => {}));\n",
        ],
        ids=[
            *("skip", "only", "xdescribe", "fdescribe", "each", "each as a template", "loop", "condition"),
            *("forEach", "returns early", "in a skipped one", "shared", "conditional name", "expression"),
        ],
    )
    def test_never_in_a_group_that_does_not_run_once_and_always(self, unfit):
        result = insert(unfit)
        assert (result.method, strategy_of(result)) == ("ast", "after_last_group")
        assert parent_of(result) == "module"
        assert result.content.startswith(unfit.removesuffix("shared();\n"))
        assert parent_of(insert(ONE + unfit)) == "a"
        assert parent_of(insert(unfit + ONE)) == "a"

    @pytest.mark.parametrize(
        ("group", "expected"),
        [
            (
                "describe('a', () => { it('b', () => {}) })\n",
                "describe('a', () => { it('b', () => {})\n  it(",
            ),
            ("describe('a', () => {});\n", "describe('a', () => {\n  it("),
            ("describe('a', () => {\n});\n", "describe('a', () => {\n  it("),
            ("describe('a', () => {\n  // none\n});\n", "  // none\n\n  it("),
            ("describe('a', () => {\n  let x;\n}); // end\n", "  let x;\n\n  it("),
            ("describe('a', () => {\n  it('b', f); // b\n});\n", "  it('b', f); // b\n\n  it("),
            ("describe('a', () => {\n  it('b', f) /* b\n b */\n});\n", " b */\n\n  it("),
            ("describe('a', () => {\n  it('b', f)\n  ;[1].map(f)\n});\n", "  it('b', f)\n\n  it("),
        ],
        ids=[
            "one line",
            "empty",
            "two lines",
            "comment",
            "behind the closer",
            "comments",
            "block",
            "semicolon",
        ],
    )
    def test_odd_groups(self, group, expected):
        result = insert(group)
        assert (result.method, parent_of(result)) == ("ast", "a")
        assert expected in result.content
        assert without_inserted(result) == group

    def test_group_is_chosen_by_what_it_uses_of_the_vulnerable_file(self):
        target = dedent("""
            import { find } from '../src/users';
            describe('find', () => {
              it('a', () => { find(1); });
            });
            describe('others', () => {
              it('b', () => {});
            });
            """)
        assert parent_of(insert(target, vulnerableCodePath="src/users.js")) == "find"

    def test_group_is_chosen_by_its_name(self):
        target = ONE + "describe('UsersController', () => {\n  it('c', () => {});\n});\n" + ONE
        assert parent_of(insert(target, vulnerableCodePath="app/users_controller.js")) == "UsersController"

    def test_group_is_chosen_by_what_it_declares(self):
        target = ONE + "describe('c', () => {\n  let app;\n  it('d', () => { app(); });\n});\n"
        result = insert(target, "expect(app()).toBe(1);")
        assert (parent_of(result), codes(result)) == ("c", [])

    def test_security_group_is_reused(self):
        result = insert(
            ONE + "describe('security', () => {\n});\n", "describe('Security', () => {\n  it('x', f);\n});"
        )
        assert parent_of(result) == "security"
        assert result.content.lower().count("describe('security'") == 1

    def test_nested_group_by_name(self):
        target = "describe('a', () => {\n  describe('injection', () => {\n    it('b', f);\n  });\n});\n"
        assert parent_of(insert(target)) == "a > injection"


class TestWriting:
    def test_body_that_awaits_makes_an_async_test(self):
        assert (
            "it('rejects SQL injection', async () => {" in insert(ONE, "expect(await f()).toBe(1);").content
        )

    def test_body_with_done_takes_it(self):
        assert "it('rejects SQL injection', (done) => {" in insert(ONE, "f(done);").content

    def test_function_as_the_file_has_it(self):
        result = insert(ONE.replace("() => {}", "function () {}"))
        assert "it('rejects SQL injection', function () {" in result.content

    def test_no_semicolons_where_the_file_has_none(self):
        target = 'describe("a", () => {\n  it("b", () => {})\n})\n'
        result = insert(target, "expect(1).toBe(2)")
        assert ";" not in result.content
        assert 'it("rejects SQL injection", () => {' in result.content

    @pytest.mark.parametrize("line", ["[1].map(f)", "(f)()", "`x`.trim()", "/x/.test(y)"])
    def test_semicolon_before_a_line_that_would_go_on(self, line):
        result = insert(f"test('a', () => {{}});\n{line}\n", "expect(1).toBe(2)")
        assert f"}});\n\n{line}" in result.content
        target = f"describe('a', () => {{\n  it('b', f)\n}});\n{line}\n"
        assert insert(target.replace("a'", "a'", 1), "f()").method == "ast"

    def test_body_is_indented_but_not_its_templates(self):
        result = insert(ONE, "if (x) {\n    expect(`a\n  b`).toBe(1);\n}")
        assert "    if (x) {\n      expect(`a\n  b`).toBe(1);\n    }\n" in result.content

    def test_markdown_around_the_code_is_taken_off(self):
        assert "`" not in insert(ONE, "```js\nexpect(1).toBe(2);\n```\n").content

    def test_tabs(self):
        result = insert(ONE.replace("  ", "\t"), "if (x) {\n  f();\n}")
        assert "\n\t\tif (x) {\n\t\t\tf();\n\t\t}\n\t});\n" in result.content

    @pytest.mark.parametrize(
        "name",
        [
            "it's",
            'a "b"',
            "a\nb",
            "`${process.exit()}`",
            "*/ x()",
            "\\",
            "\0",
            "\u2028x",
            "${x}",
            "'); x(); ('",
        ],
    )
    def test_names_never_become_code(self, name):
        result = insert(ONE, name=name, attack=name)
        assert result.method == "ast"
        assert len(result.content.splitlines()) == len(insert(ONE).content.splitlines())
        assert insert(result.content, name=name, attack=name).content == result.content

    def test_names_do_not_set_the_environment(self):
        assert (
            "@jest-environment"
            not in insert(ONE, name="@jest-environment x", attack="@jest-environment x").content
        )

    def test_names_are_unique(self):
        result = insert(insert(ONE).content, "expect(3).toBe(4);")
        assert "it('rejects SQL injection (2)'" in result.content

    def test_complete_test_stays_as_it_is(self):
        result = insert(ONE, "it('rejects SQL injection', async () => {\n    await f();\n});")
        assert "\n  it('rejects SQL injection', async () => {\n    await f();\n  });\n" in result.content

    def test_complete_test_of_another_name_gets_a_group_of_that_name(self):
        result = insert(ONE, "it('x', () => {});")
        assert "\n  describe('rejects SQL injection', () => {\n" in result.content

    def test_helpers_and_hooks_get_a_group_of_their_own(self):
        result = insert(ONE, "const x = 1;\nbeforeEach(() => f(x));\nit('rejects SQL injection', () => {});")
        assert "\n  describe('rejects SQL injection', () => {\n" in result.content
        assert "\n    beforeEach(() => f(x));\n" in result.content

    def test_functions_of_mocha_are_renamed(self):
        result = insert(
            ONE, "describe('rejects SQL injection', () => {\n  before(f);\n  specify('x', f);\n});"
        )
        assert "beforeAll(f);" in result.content
        assert "it('x', f);" in result.content


class TestNames:
    def test_aliases(self):
        target = "import { it as spec, describe as group } from '@jest/globals';\n"
        target += "group('a', () => {\n  spec('b', f);\n});\n"
        result = insert(target)
        assert "\n  spec('rejects SQL injection', () => {" in result.content
        assert result.content.startswith("import { it as spec, describe as group, expect } from")

    def test_required_names_are_extended(self):
        target = "const { test } = require('@jest/globals');\ntest('b', f);\n"
        result = insert(target, "describe('rejects SQL injection', () => {\n  test('x', f);\n});")
        assert result.content.startswith("const { test, describe } = require('@jest/globals');\n")

    def test_focused_and_skipped_names_are_not_taken_over(self):
        for name in ("xit", "fit", "it.skip", "it.only", "it.each([1])", "it.todo", "it.concurrent"):
            assert "\n  it('rejects" in insert(f"describe('a', () => {{\n  {name}('b', f);\n}});\n").content

    def test_imports_of_a_body_are_made_in_the_test(self):
        target = "import x from './x';\n" + ONE
        result = insert(target, "import { login } from '../src/login';\nexpect(login()).toBe(1);")
        assert "    const { login } = await import('../src/login');\n" in result.content
        assert result.content.startswith(target[:20])

    def test_imports_that_the_file_has_are_left_out(self):
        target = "import { login } from '../src/login';\n" + ONE
        result = insert(target, "import { login } from '../src/login';\nexpect(login()).toBe(1);")
        assert result.content.count("login'") == 1

    def test_name_that_nothing_binds(self):
        result = insert(ONE, "expect(nothing).toBe(other);")
        assert codes(result) == ["unbound_name", "unbound_name"]

    def test_import_of_a_used_name(self):
        with pytest.raises(InvalidTestCode):
            insert(
                "const x = 1;\n" + ONE, "import { x } from './x';\nit('rejects SQL injection', () => x());"
            )


class TestWarnings:
    @pytest.mark.parametrize("focused", ["it.only('c', f);", "fit('c', f);", "describe.only('c', () => {});"])
    def test_focus_elsewhere(self, focused):
        assert codes(insert(ONE + focused + "\n")) == ["focused_tests"]

    def test_only_in_a_string_is_not_a_focus(self):
        assert codes(insert(ONE + "f('it.only()');\n")) == []


class TestRejection:
    @pytest.mark.parametrize(
        "code", ["expect(", "});\nit('x', () => {", "", "// nothing", "export const x = 1;", "`"]
    )
    def test_of_code_that_is_not_a_test(self, code):
        with pytest.raises(InvalidTestCode if code else Exception):
            insert(ONE, code)

    def test_of_a_file_of_another_runner(self):
        with pytest.raises(TargetRejected):
            insert("import { test } from 'node:test';\ntest('a', () => {});\n")

    def test_of_a_file_that_is_broken_everywhere(self):
        with pytest.raises(TargetRejected):
            insert("describe('a', () => {\n  it('b', () => { `\n")


class TestRepeating:
    @pytest.mark.parametrize(
        "code",
        [
            "expect(1).toBe(2);",
            "import x from './x';\nexpect(await x()).toBe(`a\n b`);",
            "describe('security', () => {\n  it('x', () => {\n    f();\n  });\n});",
            "const x = 1;\nit('y', () => x);",
            "it('rejects SQL injection', f);",
        ],
    )
    @pytest.mark.parametrize("target", ["", ONE, "test('a', f);\n", "describe.skip('a', () => {});\n"])
    def test_changes_nothing(self, target, code):
        first = insert(target, code)
        again = insert(first.content, code)
        assert again.content == first.content
        assert strategy_of(again) == "already_present"

    def test_group_of_the_test_is_found_again_with_others_in_it(self):
        group = "describe('security', () => {\n  beforeEach(f);\n  it('x', f);\n});"
        first = insert(ONE, group, "expect(1).toBe(2);")
        assert insert(first.content, group, "expect(1).toBe(2);").content == first.content
