"""Properties of insertion into any Python file, generated or damaged."""

import ast
from collections import Counter

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected, TestIntegrationError
from phases.test_integration.languages.python.outline import GRAMMAR
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors
from phases.test_integration.services import generate

HEADS = ["", '"""Doc."""\n', "#!/usr/bin/env python\n", "from __future__ import annotations\n", "\n\n"]
IMPORTS = [
    "import os\n",
    "import os; import re\n",
    "from app.users import (\n    login,\n)\n",
    "import pytest\n",
]
PIECES = [
    "def test_a():\n    pass\n",
    "@mark(\n    1\n)\ndef test_b(client):\n    x = '''\n  raw\n'''\n    assert x  # end\n    # last\n",
    "async def test_c(): pass\n",
    "class TestA:\n    def test_a(self):\n        pass\n\n    # end\n",
    'class TestUsers:\n    """Doc."""\n\n    x = 1\n    def test_d(self): pass\n    y = 2\n',
    "class FooTest(unittest.TestCase):\n    def setUp(self):\n        self.x = 1\n\n    def test_e(self):\n"
    "        if 1:\n            pass\n",
    "class TestB:\n    class TestC:\n        def test_f(self):\n            assert (1,\n                2)\n",
    "class TestD: pass\n",
    "if x:\n    def test_g():\n        pass\nelse:\n    y = 1\n",
    "# a comment\n",
    "x = [\n    1,\n]; y = 2\n",
    "if __name__ == '__main__':\n    main()\n",
    "z = 1 \\\n    + 2\n",
]
CODES = [
    "assert 1 == 2",
    "client.get('/')\nassert x",
    "await f()\nassert 1",
    "self.assertEqual(1, 2)",
    "if 1:\n    x = '''\n a\n'''\nassert x",
    "import re\nfrom app import y\n\ndef test_a(client):\n    assert y(re)\n",
    "class TestX:\n    def test_x(self): assert 0\n",
]
files = st.builds(
    lambda head, imports, pieces, gap: head + "".join(imports) + "\n" * gap + ("\n" * gap).join(pieces),
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(IMPORTS), max_size=2, unique=True),
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.integers(0, 3),
)
MUTATIONS = {
    "none": lambda text, at: text,
    "CRLF": lambda text, at: text.replace("\n", "\r\n"),
    "CR": lambda text, at: text.replace("\n", "\r"),
    "mixed": lambda text, at: text[:at] + text[at:].replace("\n", "\r\n"),
    "BOM": lambda text, at: "\ufeff" + text,
    "tabs": lambda text, at: text.replace("    ", "\t"),
    "no last newline": lambda text, at: text.rstrip("\n"),
    "trailing blank": lambda text, at: text + "  \n\n\t",
    "a character less": lambda text, at: text[:at] + text[at + 1 :],
    "cut off": lambda text, at: text[:at],
    "an opener more": lambda text, at: text[:at] + "(" + text[at:],
    "a quote more": lambda text, at: text[:at] + '"""' + text[at:],
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
            "vulnerableCodePath": "app/users.py",
        },
        st.text(min_size=1, max_size=12).filter(str.strip),
        st.sampled_from(CODES),
        st.text(min_size=1, max_size=12).filter(str.strip),
    ),
    min_size=1,
    max_size=3,
)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def insert(target: str, tests: list[dict[str, str]]) -> Integration:
    return generate(target_file_content=target, red_tests=tests, framework="pytest", language="python")


def insert_or_skip(target: str, tests: list[dict[str, str]]) -> Integration:
    try:
        return insert(target, tests)
    except TargetRejected:
        assume(False)
        raise


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def statements(text: str) -> Counter[str]:
    """Return every statement except classes, which may grow."""
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt))
    return Counter(ast.dump(node) for node in nodes if not isinstance(node, ast.ClassDef | ast.If))


def error_count(text: str) -> int:
    document = Document.of(text)
    return len(errors(GRAMMAR.parse(document)))


@thorough
@given(targets, red_tests)
def test_removing_what_was_inserted_gives_the_file_back(target, tests):
    result = insert_or_skip(target, tests)
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    assert content.decode() == target


@thorough
@given(targets, red_tests)
def test_repeating_changes_nothing(target, tests):
    first = insert_or_skip(target, tests)
    assert insert(first.content, tests).content == first.content


@thorough
@given(targets, red_tests)
def test_what_python_accepted_it_still_accepts(target, tests):
    assume(is_python(target))
    assert is_python(insert(target, tests).content)


@thorough
@given(targets, red_tests)
def test_errors_never_become_more(target, tests):
    assert error_count(insert_or_skip(target, tests).content) <= error_count(target)


@thorough
@given(files, red_tests)
def test_old_statements_are_the_same_ones(target, tests):
    assume(is_python(target))
    assert statements(target) <= statements(insert(target, tests).content)


@thorough
@given(st.text(), st.text(min_size=1).filter(str.strip))
def test_any_text_is_answered_or_rejected(target, code):
    try:
        insert(target, [{"testName": "x", "testCode": code, "attackVector": "y"}])
    except TestIntegrationError as rejected:
        assert rejected.status in (400, 422)
