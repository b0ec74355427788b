"""Insertion into Mocha files: interface (BDD or TDD), placement, rendered code."""

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected
from tests.phases.test_integration.frameworks import javascript
from tests.phases.test_integration.frameworks.javascript import NAME, codes, parent_of, strategy_of

SHOULD = "describe('a', function () {\n  it('b', function () {});\n});\n"


def insert(target: str, *codes: str, **others: str) -> Integration:
    return javascript.insert("mocha", target, *(codes or ("throw new Error('x');",)), **others)


class TestInterface:
    def test_tdd(self):
        result = insert("suite('a', () => {\n  test('b', f);\n});\n")
        assert (parent_of(result), strategy_of(result)) == ("a", "after_last_test")
        assert f"\n  test('{NAME}', () => {{" in result.content

    def test_bdd_functions_are_renamed_for_tdd(self):
        code = f"describe('{NAME}', () => {{\n  before(f);\n  beforeEach(f);\n  it('x', f);\n}});"
        content = insert("suite('a', () => {\n  test('b', f);\n});\n", code).content
        assert (
            f"  suite('{NAME}', () => {{\n    suiteSetup(f);\n    setup(f);\n    test('x', f);\n" in content
        )

    def test_functions_of_jest_are_renamed(self):
        code = f"describe('{NAME}', () => {{\n  beforeAll(f);\n  test('x', f);\n}});"
        content = insert(SHOULD, code).content
        assert f"  describe('{NAME}', () => {{\n    before(f);\n    it('x', f);\n" in content

    def test_context_and_specify(self):
        target = "context('a', () => {\n  specify('b', f);\n});\n"
        assert f"\n  specify('{NAME}', () => {{" in insert(target).content

    def test_function_of_that_name_is_the_files_own(self):
        target = "describe('a', () => {\n  test(app);\n});\nfunction test(app) {\n  it('b', f);\n}\n"
        result = insert(target)
        assert (parent_of(result), codes(result)) == ("a", [])
        assert f"\n  it('{NAME}', () => {{" in result.content

    def test_required_functions(self):
        target = "const { describe: group, it: spec } = require('mocha');\n"
        target += "group('a', () => {\n  spec('b', f);\n});\n"
        assert f"\n  spec('{NAME}', () => {{" in insert(target).content


class TestWriting:
    def test_this_needs_a_function(self):
        content = insert("describe('a', () => {\n  it('b', () => {});\n});\n", "this.timeout(5);").content
        assert f"it('{NAME}', function () {{" in content

    def test_this_of_an_arrow_within_too(self):
        content = insert("it('b', () => {});\n", "[1].map(() => this.skip());").content
        assert f"it('{NAME}', function () {{" in content

    def test_done(self):
        assert f"it('{NAME}', function (done) {{" in insert(SHOULD, "f(done);").content

    def test_done_and_await(self):
        content = insert(SHOULD, "await f();\ndone();").content
        assert f"it('{NAME}', function () {{\n    return new Promise((resolve, reject) => {{" in content
        assert "(async () => {" in content

    def test_assert_is_required_where_nothing_binds_it(self):
        result = insert(SHOULD, "assert.equal(1, 2);")
        assert "    const assert = require('node:assert');\n    assert.equal(1, 2);\n" in result.content
        assert codes(result) == []

    def test_assert_is_imported_in_a_module(self):
        result = insert("import x from 'x';\n" + SHOULD, "assert.equal(1, 2);")
        assert result.content.startswith("import x from 'x';\nimport assert from 'node:assert';\n")

    def test_expect_of_the_files_chai(self):
        content = insert("const chai = require('chai');\n" + SHOULD, "expect(1).to.equal(2);").content
        assert "    const { expect } = chai;\n" in content

    def test_expect_of_the_files_chai_for_a_complete_test(self):
        code = "it('x', () => {\n  expect(1).to.equal(2);\n});"
        content = insert("const chai = require('chai');\n" + SHOULD, code).content
        assert "    chai.expect(1).to.equal(2);\n" in content

    def test_expect_of_chai_by_another_name(self):
        target = "const { expect: ex } = require('chai');\n\nit('a', () => { ex(1).to.equal(1); });\n"
        assert "\n  ex(1).to.equal(2);\n});\n" in insert(target, "expect(1).toBe(2);").content

    def test_expect_of_nothing_is_reported(self):
        assert codes(insert(SHOULD, "expect(1).to.equal(2);")) == ["unbound_name"]

    def test_expect_that_the_file_has_from_somewhere(self):
        assert codes(insert(SHOULD.replace("{}", "{ expect(1, 'to be', 1); }"), "expect(1).to.be(2);")) == []

    def test_should_is_left_alone(self):
        result = insert("require('should');\nconst x = {};\n" + SHOULD, "x.should.equal(2);")
        assert codes(result) == []

    @pytest.mark.parametrize("first", ["(f)();", "[1].map(f);", "`x`.trim();"])
    def test_what_is_put_before_the_code_ends_with_a_semicolon(self, first):
        target = "describe('a', () => {\n  it('b', f)\n})\n"
        assert "require('node:assert');\n" in insert(target, f"{first}\nassert(1)").content


class TestPlace:
    def test_configured_group(self):
        target = "describe('a', function () {\n  it('b', f).timeout(5);\n}).timeout(9);\n"
        result = insert(target)
        assert parent_of(result) == "a"
        assert "it('b', f).timeout(5);\n\n  it(" in result.content

    def test_group_in_a_condition_of_a_group(self):
        inner = "    describe('b', () => {\n      it('c', f);\n    });\n"
        target = f"describe('a', () => {{\n  if (x) {{\n{inner}  }}\n}});\n"
        result = insert(target)
        assert parent_of(result) == "a"
        assert f"    }});\n  }}\n\n  it('{NAME}'" in result.content

    @pytest.mark.parametrize("call", ["})()", "}())"], ids=["outside", "inside"])
    def test_immediately_invoked_function_is_read(self, call):
        inner = "  const x = require('x')\n  describe('a', function () {\n    it('b', f)\n  })\n"
        result = insert(f"(function () {{\n{inner}{call}\n", "x();")
        assert (parent_of(result), codes(result)) == ("a", [])
        result = insert(f"(function () {{\n  it('b', f)\n{call}\n")
        assert f"  it('b', f)\n\n  it('{NAME}', () => {{\n    // sec" in result.content

    def test_asynchronous_modules_are_followed_by_the_test(self):
        group = "  describe('a', function () {\n    it('b', f)\n  })\n"
        result = insert(f"define(['a'], function (a) {{\n{group}}})\n")
        assert (parent_of(result), strategy_of(result)) == ("module", "after_last_group")

    def test_hook_that_may_skip_all_is_reported(self):
        target = "before(function () {\n  if (x) this.skip();\n});\n" + SHOULD
        assert codes(insert(target, "f2 = 1;")) == ["module_may_be_skipped", "unbound_name"]

    @pytest.mark.parametrize("first", ["before(function () { this.skip(); });", "return it('c', f);"])
    def test_group_that_may_skip_or_end_is_left_alone(self, first):
        target = f"describe('a', function () {{\n  it('b', f);\n  {first}\n}});\n"
        assert parent_of(insert(target)) == "module"

    def test_file_that_may_return_is_reported(self):
        assert "module_may_be_skipped" in codes(insert("if (x) return;\n" + SHOULD))

    def test_exports_interface_is_appended_to(self):
        assert insert("module.exports = { a: { b() {} } };\n").method == "append"

    def test_foreign_runner(self):
        with pytest.raises(TargetRejected):
            insert("const test = require('tape');\ntest('a', (t) => { t.end(); });\n")


class TestSize:
    def test_ten_thousand_lines_are_read_in_one_pass(self):
        tests = "".join(f"  it('t{number}', () => {{\n    f({number});\n  }});\n" for number in range(3300))
        assert insert(f"describe('a', () => {{\n{tests}}});\n").method == "ast"

    @pytest.mark.parametrize(
        "target",
        ["(" * 10_000, "describe('a', () => {" * 3000, "x(" * 5000 + ")" * 5000, "`${" * 5000, "a?" * 5000],
        ids=["brackets", "groups", "calls", "templates", "ternaries"],
    )
    def test_nesting_is_answered_or_rejected(self, target):
        try:
            insert(target)
        except TargetRejected as rejected:
            assert rejected.status == 422
