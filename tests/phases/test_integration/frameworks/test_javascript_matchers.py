"""Rewriting a test's assertions in a JavaScript file's assertion style."""

import pytest

from tests.phases.test_integration.frameworks.javascript import codes, insert

BODY = "describe('a', () => {\n  it('b', () => { %s; });\n});\n"
CHAI = "const { expect } = require('chai');\n" + BODY % "expect(1).to.equal(1)"
NODE = "const assert = require('assert');\n" + BODY % "assert.equal(1, 1)"
CHAI_ASSERT = NODE.replace("const assert = require('assert')", "const { assert } = require('chai')")
SHOULD = "require('should');\n" + BODY % "(1).should.equal(1)"
JEST = BODY % "expect(1).toBe(1)"

# The same assertion in the styles of Jest, chai, chai's assert and Node's assert.
ALIKE = [
    ("expect(1).toBe(2)", "expect(1).to.equal(2)", "assert.strictEqual(1, 2)", "assert.strictEqual(1, 2)"),
    (
        "expect([1]).toEqual([2])",
        "expect([1]).to.deep.equal([2])",
        "assert.deepEqual([1], [2])",
        "assert.deepStrictEqual([1], [2])",
    ),
    ("expect(1).not.toBeTruthy()", "expect(1).to.not.be.ok", "assert.isNotOk(1)", "assert.ok(!1)"),
    (
        "expect('a').toContain('b')",
        "expect('a').to.include('b')",
        "assert.include('a', 'b')",
        "assert.ok(('a').includes('b'))",
    ),
    (
        "expect('a').not.toMatch(/a/)",
        "expect('a').to.not.match(/a/)",
        "assert.notMatch('a', /a/)",
        "assert.doesNotMatch('a', /a/)",
    ),
    (
        "expect(() => 1).toThrow(Error)",
        "expect(() => 1).to.throw(Error)",
        "assert.throws(() => 1, Error)",
        "assert.throws(() => 1, Error)",
    ),
    ("expect(1).toBeGreaterThan(2)", "expect(1).to.be.above(2)", "assert.isAbove(1, 2)", "assert.ok(1 > 2)"),
    ("expect(1).toBe(null)", "expect(1).to.equal(null)", "assert.strictEqual(1, null)", None),
]


def last_line(framework: str, target: str, code: str) -> str:
    result = insert(framework, target, code)
    assert codes(result) == []
    return result.content.split("    // attack vector: ' OR 1=1 --\n")[1].split("\n")[0].strip()


class TestConversion:
    @pytest.mark.parametrize("alike", ALIKE, ids=[each[0] for each in ALIKE])
    def test_of_jests_expect(self, alike):
        jest, chai, chai_assert, node = alike
        assert last_line("mocha", CHAI, jest) == chai
        assert last_line("mocha", CHAI_ASSERT, jest) == chai_assert
        assert last_line("mocha", NODE, jest) == (node or chai_assert)

    @pytest.mark.parametrize("alike", ALIKE, ids=[each[0] for each in ALIKE])
    def test_of_chais_expect(self, alike):
        assert last_line("jest", JEST, alike[1]) == alike[0]

    @pytest.mark.parametrize("alike", ALIKE, ids=[each[0] for each in ALIKE])
    def test_of_chais_assert(self, alike):
        assert last_line("jest", JEST, alike[2]) == alike[0]
        assert last_line("mocha", CHAI, alike[2]) == alike[1]

    def test_of_should(self):
        assert last_line("jest", JEST, "(1).should.not.be.true;") == "expect((1)).not.toBe(true);"

    def test_of_loose_equality_only_with_a_literal(self):
        assert last_line("jest", JEST, "assert.equal(1, 'x')") == "expect(1).toBe('x')"
        assert "assert.equal(1, JSON)" in insert("jest", JEST, "assert.equal(1, JSON)").content

    def test_of_a_complete_test_that_imports_its_expect(self):
        code = "import { it, expect } from 'vitest';\nit('x', () => {\n  expect(`a\n b`).toBe(1);\n});"
        result = insert("mocha", CHAI, code)
        assert "expect(`a\n b`).to.equal(1);" in result.content
        assert "vitest" not in result.content

    def test_of_chais_own_methods_for_nodes_assert(self):
        assert last_line("mocha", NODE, "assert.isTrue(1)") == "assert.strictEqual(1, true)"

    def test_into_what_is_always_there_where_the_file_has_only_should(self):
        result = insert("mocha", SHOULD, "expect(1).toBe(2);")
        assert "const assert = require('node:assert');\n    assert.strictEqual(1, 2);" in result.content
        assert codes(result) == ["matcher_style"]

    def test_is_found_again(self):
        first = insert("mocha", CHAI, "expect(1).toBe(2);")
        assert insert("mocha", first.content, "expect(1).toBe(2);").content == first.content


class TestLeftAlone:
    @pytest.mark.parametrize(
        "code",
        [
            "await expect(1).rejects.toThrow();",
            "expect(1).toBe(2);\nexpect(1).toMatchSnapshot();",
            "expect(1).toBe(NaN);",
            "expect([1]).toEqual(expect.any(Number));",
            "expect(() => expect(1).toBe(2)).toThrow();",
            "expect(...[1]).toBe(2);",
        ],
    )
    def test_assertions_without_an_exact_equivalent_is_reported(self, code):
        result = insert("mocha", CHAI, code)
        assert all(line in result.content for line in code.split("\n"))
        assert codes(result) == ["matcher_style"]

    def test_a_message_is_not_dropped(self):
        result = insert("jest", JEST, "assert.strictEqual(1, 2, 'no');")
        assert "assert.strictEqual(1, 2, 'no');" in result.content
        assert "matcher_style" in codes(result)

    def test_chai_assertions_stay_in_vitest(self):
        assert last_line("vitest", JEST, "expect(1).to.equal(2);") == "expect(1).to.equal(2);"

    def test_code_that_brings_its_own(self):
        code = "const assert = require('assert');\nassert.strictEqual(1, 2);"
        assert code.replace("\n", "\n    ") in insert("jest", JEST, code).content
