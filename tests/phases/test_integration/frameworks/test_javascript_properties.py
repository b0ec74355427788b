"""Properties of insertion into any JavaScript file, generated or damaged."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected, TestIntegrationError
from phases.test_integration.languages.javascript.grammars import GRAMMARS
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors
from phases.test_integration.services import generate
from tests.phases.test_integration.runners.needs import need

TYPESCRIPT = Path(__file__).parent.parent / "runners/node/node_modules/typescript"
PARSER = """
const ts = require(process.argv[1]);
const options = { allowJs: true, jsx: 1, target: 99, module: 99 };
const accepts = (text) =>
  !ts.transpileModule(text, { fileName: 'a.tsx', reportDiagnostics: true, compilerOptions: options })
    .diagnostics.length;
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map(([old, now]) => !accepts(old) || accepts(now))));
"""

HEADS = ["", "#!/usr/bin/env node\n", "'use strict'\n", "/**\n * @jest-environment node\n */\n", "\n\n"]
IMPORTS = [
    "import { it, test } from 'vitest'\n",
    "import * as v from 'vitest';\n",
    "import {\n  describe,\n  it as spec,\n} from '@jest/globals';\n",
    "const { describe, it } = require('mocha');\n",
    "import x, { y } from './x'; import './z';\n",
    "const chai = require('chai'), z = 1\n",
]
PIECES = [
    "test('a', () => {})\n",
    "describe('b', () => {\n  it('c', function () {\n    f(`\n  ${x}\n`)\n  }) // end\n  // last\n})\n",
    "describe('d', () => { it('e', () => {}) })\n",
    'describe("f", () => {});\n',
    "describe('g', () => it('h', f))\n",
    ";[1, 2].forEach((x) => {\n  it(`i${x}`, async () => {})\n})\n",
    "describe('j', function () {\n  this.timeout(5)\n"
    "  describe('k', () => {\n    it('l', f)\n    ;(f)()\n  })\n})\n",
    "describe.skip('m', () => {\n  it('n', () => {});\n});\n",
    "it.each`a\n${1}`('o', f)\n",
    "if (x) {\n  describe('p', () => {\n    it('q', f)\n  })\n} else f()\n",
    "suite('r', () => {\n\ttest('s', (done) => { done() })\n})\n",
    "// a comment\n",
    "const t = {\n  u: 1,\n}; f()\n",
    "function w() {\n  return <div>{x}</div>\n}\n",
    "/* a */ describe('y', () => { /* b */ }) /* c\n */ ; /* d */ f()\n",
]
CODES = [
    "expect(1).toBe(2)",
    "(f)()\nexpect(await f()).toBe(`a\n  b`);",
    "[1].map(f); done()",
    "import q, { r as s } from './q'\nif (q) {\n\texpect(s).toBe(1)\n}",
    "import { it, expect, describe } from 'vitest';\n"
    "describe('security', () => {\n  it('x', () => {\n    f()\n  })\n})",
    "const h = 1\nbeforeEach(() => {})\ntest('x', async () => {})",
    "assert.equal(this.x, 1) // end",
]
files = st.builds(
    lambda head, imports, pieces, gap: head + "".join(imports) + "\n" * gap + ("\n" * gap).join(pieces),
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(IMPORTS), max_size=2, unique=True),
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.integers(0, 2),
)
MUTATIONS = {
    "none": lambda text, at: text,
    "CRLF": lambda text, at: text.replace("\n", "\r\n"),
    "CR": lambda text, at: text.replace("\n", "\r"),
    "mixed": lambda text, at: text[:at] + text[at:].replace("\n", "\r\n"),
    "BOM": lambda text, at: "\ufeff" + text,
    "tabs": lambda text, at: text.replace("  ", "\t"),
    "no last newline": lambda text, at: text.rstrip("\n"),
    "trailing blank": lambda text, at: text + "  \n\n\t",
    "a character less": lambda text, at: text[:at] + text[at + 1 :],
    "cut off": lambda text, at: text[:at],
    "an opener more": lambda text, at: text[:at] + "(" + text[at:],
    "a backtick more": lambda text, at: text[:at] + "`" + text[at:],
}
targets = st.builds(
    lambda text, mutation, at: MUTATIONS[mutation](text, at % (len(text) + 1)),
    files,
    st.sampled_from(sorted(MUTATIONS)),
    st.integers(0, 2000),
)
red_tests = st.lists(
    st.builds(
        lambda name, code, attack: {
            "testName": name,
            "testCode": code,
            "attackVector": attack,
            "vulnerableCodePath": "src/x.js",
        },
        st.text(min_size=1, max_size=12).filter(str.strip),
        st.sampled_from(CODES),
        st.text(min_size=1, max_size=12).filter(str.strip),
    ),
    min_size=1,
    max_size=3,
)
frameworks = st.sampled_from(["jest", "vitest", "mocha"])
thorough = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def insert(framework: str, target: str, tests: list[dict[str, str]]) -> Integration:
    return generate(target_file_content=target, red_tests=tests, framework=framework, language="typescript")


def insert_or_skip(framework: str, target: str, tests: list[dict[str, str]]) -> Integration:
    try:
        return insert(framework, target, tests)
    except TestIntegrationError:
        assume(False)
        raise


def error_count(text: str) -> int:
    return min(len(errors(grammar.parse(Document.of(text)))) for grammar in GRAMMARS)


@thorough
@given(frameworks, targets, red_tests)
def test_removing_what_was_inserted_gives_the_file_back(framework, target, tests):
    result = insert_or_skip(framework, target, tests)
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    assert content.decode() == target


@thorough
@given(frameworks, targets, red_tests)
def test_repeating_changes_nothing(framework, target, tests):
    first = insert_or_skip(framework, target, tests)
    assert insert(framework, first.content, tests).content == first.content


@thorough
@given(frameworks, targets, red_tests)
def test_errors_never_become_more(framework, target, tests):
    assert error_count(insert_or_skip(framework, target, tests).content) <= error_count(target)


@thorough
@given(frameworks, st.text(), st.text(min_size=1).filter(str.strip))
def test_any_text_is_answered_or_rejected(framework, target, code):
    try:
        insert(framework, target, [{"testName": "x", "testCode": code, "attackVector": "y"}])
    except TestIntegrationError as rejected:
        assert rejected.status in (400, 422)


def test_what_typescript_accepted_it_still_accepts():
    need("node")
    if not TYPESCRIPT.exists():
        pytest.skip("npm ci has not been run in tests/phases/test_integration/runners/node")
    pairs: list[tuple[str, str]] = []

    @settings(thorough, max_examples=200)
    @given(frameworks, targets, red_tests)
    def collect(framework: str, target: str, tests: list[dict[str, str]]) -> None:
        try:
            pairs.append((target, insert(framework, target, tests).content))
        except (TargetRejected, TestIntegrationError):
            return

    collect()
    command = ["node", "-e", PARSER, str(TYPESCRIPT)]
    finished = subprocess.run(
        command, input=json.dumps(pairs), capture_output=True, text=True, timeout=120, check=True
    )
    broken = [pair for pair, kept in zip(pairs, json.loads(finished.stdout), strict=True) if not kept]
    assert broken == []
