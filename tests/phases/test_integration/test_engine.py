"""The engine's promises: old bytes stay, repeating changes nothing, unsafe insertions are rejected."""

import ast
from dataclasses import replace

import pytest

from phases.test_integration import engine
from phases.test_integration.engine import Integration
from phases.test_integration.errors import (
    InsertionNotSupported,
    InvalidValue,
    LanguageMismatch,
    TargetRejected,
    TestIntegrationError,
    UnsupportedFramework,
)
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.services import generate

TARGET = "import os\n\n\ndef test_a():\n    assert os\n"


def red(code: str = "assert 1 == 2", name: str = "is safe", **others: object) -> dict[str, object]:
    return {"testName": name, "testCode": code, "attackVector": "'--", **others}


def insert(target: str, *tests: dict[str, object]) -> Integration:
    return generate(
        target_file_content=target, red_tests=list(tests or [red()]), framework="pytest", language="python"
    )


def without_inserted(result: Integration) -> str:
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    return content.decode()


class TestBytes:
    @pytest.mark.parametrize(
        "target",
        [
            TARGET,
            TARGET.rstrip(),
            TARGET.replace("\n", "\r\n"),
            TARGET.replace("\n", "\r"),
            "\ufeff" + TARGET,
            "\ufeff",
            TARGET + "\n\n   \n\t",
            TARGET + "\f\n",
            TARGET.replace("    ", "\t"),
            TARGET.replace("\n", "\r\n", 3),
            '"""Doc."""',
            "#!/usr/bin/env python\n# coding: utf-8",
            "",
            "\n\n",
        ],
        ids=range(14),
    )
    def test_every_old_one_stays(self, target):
        assert without_inserted(insert(target)) == target

    @pytest.mark.parametrize("eol", ["\r\n", "\r", "\n"])
    def test_lines_end_as_the_files(self, eol):
        result = insert(TARGET.replace("\n", eol), red("if 1:\n    x = '''\n'''\nassert x"))
        assert {line[-1:] for line in result.content.replace(eol, "\0").split("\0")} <= {""} | set(
            result.content.replace(eol, "")
        )
        assert result.content.replace(eol, "").count("\n") == result.content.replace(eol, "").count("\r") == 0

    def test_missing_last_newline_stays_missing(self):
        assert insert(TARGET.rstrip()).content.endswith("assert 1 == 2")

    def test_byte_order_mark_stays_first(self):
        result = insert("\ufeff" + TARGET, red("with pytest.raises(E):\n    f()"))
        assert result.content.startswith("\ufeffimport os\nimport pytest\n")

    def test_line_is_the_first_that_was_inserted(self):
        for target in (TARGET, TARGET.rstrip(), TARGET + "\n\nx = 1\n", TARGET.replace("\n", "\r\n")):
            result = insert(target)
            assert result.point is not None
            start = result.inserted[0].start
            before = result.content.encode()[:start].decode()
            expected = before.count("\n") + (1 if before.endswith("\n") else 2)
            assert result.point.line == expected


class TestSeveralTests:
    def test_stand_in_their_order(self):
        result = insert(TARGET, red(name="b"), red("assert 3 == 4", name="a"), red("assert 5", name="c"))
        names = [node.name for node in ast.parse(result.content).body if isinstance(node, ast.FunctionDef)]
        assert names == ["test_a", "test_security_b", "test_security_a", "test_security_c"]
        assert without_inserted(result) == TARGET

    def test_share_one_new_class(self):
        target = "class TestA:\n    def test_a(self):\n        pass\n\n\n" * 2
        result = insert(target.replace("TestA", "TestB", 1), red(name="x"), red("assert 3", name="y"))
        assert result.content.count("class TestSecurity:") == 1
        assert without_inserted(result) == target.replace("TestA", "TestB", 1)

    def test_of_one_name_are_kept_apart(self):
        result = insert(TARGET, red(), red("assert 3 == 4"))
        assert "def test_security_is_safe():" in result.content
        assert "def test_security_is_safe_2():" in result.content

    def test_that_are_equal_are_one(self):
        assert insert(TARGET, red(), red()).content.count("def test_security") == 1

    def test_one_appended_makes_the_method_append(self):
        result = insert("", red(name="x"), red("assert 3", name="y"))
        assert (result.method, result.point) == ("append", None)


class TestRepeating:
    @pytest.mark.parametrize(
        "code",
        [
            "assert 1 == 2",
            "await f()",
            "import re\n\ndef helper():\n    pass\n\ndef test_x(client):\n    assert helper()",
            "from app import x\ny = x()\n\ndef test_a():\n    assert y",
            "class TestX:\n    def test_x(self):\n        assert 0\n    def test_y(self): assert 1",
            "self.assertEqual(1, 2)",
            "x = '''\n  a\n'''\nassert x",
        ],
        ids=range(7),
    )
    @pytest.mark.parametrize("target", [TARGET, "", TARGET.replace("\n", "\r\n"), "def helper(): pass\n"])
    def test_changes_nothing(self, target, code):
        first = insert(target, red(code), red("assert 'other'", name="other"))
        second = insert(first.content, red(code), red("assert 'other'", name="other"))
        assert second.content == first.content
        assert second.inserted == ()
        assert second.point is not None
        assert second.point.strategy == "already_present"

    def test_is_recognized_after_a_formatter_ran(self):
        first = insert(TARGET, red("assert f( 'x' )==[1,2]")).content
        formatted = first.replace("f( 'x' )==[1,2]", 'f("x") == [1, 2]')
        assert insert(formatted, red("assert f( 'x' )==[1,2]")).content == formatted

    def test_with_another_attack_is_another_test(self):
        first = insert(TARGET, red())
        second = insert(first.content, red(attackVector="<script>"))
        assert "def test_security_is_safe_2" in second.content


class TestBrokenTarget:
    def test_takes_the_test_where_the_tree_still_stands(self):
        result = insert("def broken(:\n    pass\n\n\n" + TARGET)
        assert result.method == "ast"
        assert result.warnings[0].code == "target_has_errors"
        assert result.warnings[0].line == 1

    @pytest.mark.parametrize("opener", ['x = """\n', "x = [\n", "def f(\n"], ids=range(3))
    def test_is_never_made_worse(self, opener):
        target = TARGET + opener
        try:
            result = insert(target)
        except TargetRejected as rejected:
            assert rejected.fields is not None
        else:
            assert without_inserted(result) == target

    @pytest.mark.parametrize("target", ["'''", "(" * 10_000], ids=["string", "brackets"])
    def test_that_would_comment_out_the_test_is_rejected(self, target):
        with pytest.raises(TargetRejected, match="broken") as rejected:
            insert(target)
        assert (rejected.value.status, rejected.value.field) == (422, "targetFileContent")

    def test_without_a_place_gets_the_test_at_its_end(self):
        result = insert("class A:\n  def test(self)\n   x\n")
        assert (result.method, result.point) == ("append", None)


class TestHostileTarget:
    @pytest.mark.parametrize(
        "target",
        [
            "(" * 10_000,
            "(" * 10_000 + ")" * 10_000,
            "x = " + "a+" * 200_000 + "a\n",
            "".join(" " * depth + "if x:\n" for depth in range(500)),
            "".join(" " * depth + "class TestA:\n" for depth in range(500)),
            "def class ) ( " * 20_000,
            "".join(map(chr, range(1, 256))) * 1000,
            "@a\n" * 20_000,
            "'''" * 50_000,
        ],
        ids=range(9),
    )
    def test_is_answered_or_rejected(self, target):
        try:
            result = insert(target)
        except TestIntegrationError:
            return
        assert without_inserted(result) == target

    @pytest.mark.parametrize("target", ["x = '\0'", "x = '\ud800'"], ids=["NUL", "surrogate"])
    def test_invalid_text_names_the_field(self, target):
        with pytest.raises(InvalidValue) as rejected:
            insert(target)
        assert rejected.value.field == "targetFileContent"

    def test_too_large_is_rejected(self):
        with pytest.raises(TargetRejected, match="bytes"):
            insert("#" * 2_000_001)

    @pytest.mark.parametrize("eol", ["\n", "\r"])
    def test_of_too_many_lines_is_rejected(self, eol):
        with pytest.raises(TargetRejected, match="lines"):
            insert(f"#{eol}" * 200_001)


class TestRequest:
    def test_framework_without_insertion_says_so(self, monkeypatch):
        monkeypatch.setitem(FRAMEWORKS, "rspec", replace(FRAMEWORKS["rspec"], inserter=None))
        with pytest.raises(InsertionNotSupported, match="for rspec is not available yet"):
            generate(target_file_content="", red_tests=[red()], framework="rspec", language="ruby")

    @pytest.mark.parametrize("language", ["ruby", "cobol", ""])
    def test_language_must_be_the_frameworks(self, language):
        with pytest.raises(LanguageMismatch) as rejected:
            generate(target_file_content="", red_tests=[red()], framework="pytest", language=language)
        assert (rejected.value.status, rejected.value.field) == (400, "language")

    def test_framework_must_be_known(self):
        with pytest.raises(UnsupportedFramework, match="unsupported framework"):
            generate(target_file_content="", red_tests=[red()], framework="nose", language="python")

    @pytest.mark.parametrize(
        ("red_tests", "field"),
        [
            (None, "testSuite.redTests"),
            ([], "testSuite.redTests"),
            ({}, "testSuite.redTests"),
            ([red()] * 51, "testSuite.redTests"),
            (["x"], "testSuite.redTests[0]"),
            ([red(), red(name="")], "testSuite.redTests[1].testName"),
            ([red(attackVector=None)], "testSuite.redTests[0].attackVector"),
            ([red(testCode=7)], "testSuite.redTests[0].testCode"),
            ([red("x = '\0'")], "testSuite.redTests[0].testCode"),
            ([red("x" * 200_001)], "testSuite.redTests[0].testCode"),
            ([red(expectedBehavior=[])], "testSuite.redTests[0].expectedBehavior"),
        ],
        ids=range(11),
    )
    def test_wrong_value_names_its_field(self, red_tests, field):
        with pytest.raises(InvalidValue) as rejected:
            generate(target_file_content="", red_tests=red_tests, framework="pytest", language="python")
        assert rejected.value.field == field


def test_tests_that_take_too_long_together_are_rejected(monkeypatch):
    monkeypatch.setattr(engine, "MAX_INSERTION_SECONDS", -1.0)
    with pytest.raises(TargetRejected, match="fewer"):
        insert(TARGET)
