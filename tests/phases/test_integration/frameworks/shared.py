"""Helpers for JUnit, PHPUnit, ExUnit and Go: requests, mutations, hypothesis strategies."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected
from phases.test_integration.frameworks import get_framework
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors
from phases.test_integration.services import generate

NAME, ATTACK = "rejects SQL injection", "' OR 1=1 --"
HOSTILE = [
    "'",
    '"""',
    "`#{System.halt()}`",
    "${x} {$y} $z",
    "*/ } } }",
    "?> <b>",
    "\\u000a } } \\u0022",
    "\n}\nend\n",
    "\r\n}",
    "\u2028}",
    "\0",
    "\u202e",
    "é ü 測試",
    "//",
    "\\",
]
MUTATIONS: dict[str, Callable[[str, int], str]] = {
    "none": lambda text, at: text,
    "CRLF": lambda text, at: text.replace("\n", "\r\n"),
    "mixed": lambda text, at: text[:at] + text[at:].replace("\n", "\r\n"),
    "BOM": lambda text, at: "\ufeff" + text,
    "tabs": lambda text, at: text.replace("    ", "\t").replace("  ", "\t"),
    "no last newline": lambda text, at: text.rstrip("\n"),
    "trailing blank": lambda text, at: text + "  \n\n\t",
    "a character less": lambda text, at: text[:at] + text[at + 1 :],
    "cut off": lambda text, at: text[:at],
    "a closer less": lambda text, at: _without_last(text, "end" if "\nend" in text else "}"),
    "an opener more": lambda text, at: text[:at] + "{" + text[at:],
    "a quote more": lambda text, at: text[:at] + '"' + text[at:],
}
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Into:
    """Inserts into files of one framework; `body` is the default test code."""

    framework: str
    language: str
    body: str = ""

    def insert(self, target: str, *tests: dict[str, str]) -> Integration:
        return generate(
            target_file_content=target,
            red_tests=list(tests),
            framework=self.framework,
            language=self.language,
        )

    def insert_one(self, target: str, code: str | None = None, **others: str) -> Integration:
        return self.insert(target, red(self.body if code is None else code, **others))

    def inserted(self, target: str, code: str | None = None, **others: str) -> str:
        return self.insert_one(target, code, **others).content

    def insert_or_skip(self, target: str, tests: Sequence[dict[str, str]]) -> Integration:
        try:
            return self.insert(target, *tests)
        except TargetRejected:
            assume(False)
            raise

    def error_count(self, text: str) -> int:
        inserter = get_framework(self.framework).inserter
        assert inserter is not None
        return min(len(errors(grammar.parse(Document.of(text)))) for grammar in inserter.grammars)


def red(code: str, name: str = NAME, attack: str = ATTACK, **others: str) -> dict[str, str]:
    return {"testName": name, "testCode": code, "attackVector": attack, **others}


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def without_inserted(result: Integration) -> str:
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    return content.decode()


def parent_of(result: Integration) -> str:
    assert result.point is not None
    return result.point.parent


def codes(result: Integration) -> list[str]:
    return [warning.code for warning in result.warnings]


def mutated(files: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda text, mutation, at: MUTATIONS[mutation](text, at % (len(text) + 1)),
        files,
        st.sampled_from(sorted(MUTATIONS)),
        st.integers(0, 3000),
    )


def red_tests(bodies: Sequence[str], path: str) -> st.SearchStrategy[list[dict[str, str]]]:
    data = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=12).filter(str.strip)
    one = st.builds(
        lambda name, code, attack: red(code, name, attack, vulnerableCodePath=path),
        data.filter(str.strip),
        st.sampled_from(bodies),
        data.filter(str.strip),
    )
    return st.lists(one, min_size=1, max_size=2)


def _without_last(text: str, closer: str) -> str:
    before, found, after = text.rpartition(closer)
    return before + after if found else text
