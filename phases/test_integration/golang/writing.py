"""Writes Go: names, comments and strings that carry data, functions around a body."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from phases.test_integration.red_tests import RedTest
from phases.test_integration.taken import Taken
from phases.test_integration.words import LONGEST_PART, one_line, split_extension, split_path, words_of

LONGEST_NAME = 80


def marks(red_test: RedTest) -> list[str]:
    """Comments that name the test and its attack, one line each; by them a later request finds it again."""
    lines = [
        f"// security: {one_line(red_test.name)}",
        f"// attack vector: {one_line(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"// expected: {one_line(red_test.expected_behavior)}")
    return lines


def function_name(text: str, vulnerable_file: str = "") -> str:
    """`TestSecurity...`, plain ASCII, whatever the test is called; it names the vulnerable file too."""
    words = words_of(text[:LONGEST_NAME])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    module = _module_words(vulnerable_file)
    if not _holds(words, module):
        words = [*module, *words]
    if "security" not in words:
        words.insert(0, "security")
    return "Test" + "".join(word[0].upper() + word[1:] for word in words)


def about(name: str, vulnerable_file: str) -> str:
    """The name with the vulnerable file's behind it, unless it has that in it.

    All files of a package share one scope, and only one of them is seen: tests of one name against several
    files would not be compiled together.
    """
    module = _module_words(vulnerable_file)
    return name if _holds(words_of(name), module) else name + "".join(map(str.capitalize, module))


def _module_words(vulnerable_file: str) -> list[str]:
    _, file_name = split_path(vulnerable_file)
    return words_of(split_extension(file_name)[0][:LONGEST_PART])


def _holds(words: Sequence[str], sought: Sequence[str]) -> bool:
    return any(
        list(sought) == list(words[at : at + len(sought)]) for at in range(len(words) - len(sought) + 1)
    )


def unique(name: str, taken: Collection[str]) -> str:
    """The name, or the name with the first number that makes it new."""
    return Taken(taken, "_").take(name)


def string(text: str) -> str:
    """An interpreted string literal: whatever the text has in it, it stays one literal on one line."""
    pieces = []
    for char in text:
        code = ord(char)
        if char in '"\\':
            pieces.append("\\" + char)
        elif char.isprintable():
            pieces.append(char)
        elif 0xD800 <= code <= 0xDFFF:
            pieces.append("\\ufffd")
        else:
            pieces.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(pieces) + '"'


def block(header: str, lines: Sequence[str], body: str, protected: Collection[int], footer: str = "}") -> str:
    """A function in the first column; `protected` are the body's rows that must not move."""
    moved = [
        line if row in protected or not line.strip() else "\t" + line
        for row, line in enumerate(body.split("\n"))
    ]
    return "\n".join((header, *("\t" + line for line in lines), *moved, footer))
