"""Renders Go names, comments, strings and functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from phases.test_integration.plan.used_names import UsedNames
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import (
    MAX_NAME_PART_LENGTH,
    one_line,
    split_extension,
    split_path,
    words_of,
)

MAX_NAME_LENGTH = 80


def markers(red_test: RedTest) -> list[str]:
    """Return one comment line each for name, attack and expectation; a later request finds them again."""
    lines = [
        f"// security: {one_line(red_test.name)}",
        f"// attack vector: {one_line(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"// expected: {one_line(red_test.expected_behavior)}")
    return lines


def function_name(text: str, vulnerable_file: str = "") -> str:
    """Return an ASCII name `TestSecurity...` for any test name; it includes the vulnerable file's name."""
    words = words_of(text[:MAX_NAME_LENGTH])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    module = _module_words(vulnerable_file)
    if not _contains_run(words, module):
        words = [*module, *words]
    if "security" not in words:
        words.insert(0, "security")
    return "Test" + "".join(word[0].upper() + word[1:] for word in words)


def with_module_name(name: str, vulnerable_file: str) -> str:
    """Append the vulnerable file's name, unless the name contains it.

    All files of a package share one scope, and the engine sees only one of them: equal names for tests of
    two source files would not compile.
    """
    module = _module_words(vulnerable_file)
    return name if _contains_run(words_of(name), module) else name + "".join(map(str.capitalize, module))


def _module_words(vulnerable_file: str) -> list[str]:
    _, file_name = split_path(vulnerable_file)
    return words_of(split_extension(file_name)[0][:MAX_NAME_PART_LENGTH])


def _contains_run(words: Sequence[str], sought: Sequence[str]) -> bool:
    return any(
        list(sought) == list(words[at : at + len(sought)]) for at in range(len(words) - len(sought) + 1)
    )


def make_unique(name: str, used_names: Collection[str]) -> str:
    """Return the name, with the first number that makes it unique if it is used."""
    return UsedNames(used_names, "_").reserve(name)


def string(text: str) -> str:
    """Return an interpreted string literal on one line, whatever the text contains."""
    pieces = []
    for char in text:
        code = ord(char)
        if char in '"\\':
            pieces.append("\\" + char)
        elif char.isprintable():
            pieces.append(char)
        # Go rejects a surrogate as an escape.
        elif 0xD800 <= code <= 0xDFFF:
            pieces.append("\\ufffd")
        else:
            pieces.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(pieces) + '"'


def block(header: str, lines: Sequence[str], body: str, protected: Collection[int], footer: str = "}") -> str:
    """Return a function without indentation; the body's `protected` rows keep theirs."""
    moved = [
        line if row in protected or not line.strip() else "\t" + line
        for row, line in enumerate(body.split("\n"))
    ]
    return "\n".join((header, *("\t" + line for line in lines), *moved, footer))
