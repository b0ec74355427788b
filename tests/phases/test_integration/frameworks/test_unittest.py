"""Insertion into unittest files: placement, rendered code, warnings."""

import ast
import textwrap
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected
from phases.test_integration.services import generate
from tests.phases.test_integration import test_properties as python

NAME, ATTACK = "rejects SQL injection", "' OR 1=1 --"


def insert(target: str, code: str = "self.assertEqual(1, 2)", **others: str) -> Integration:
    red_test = {"testName": NAME, "testCode": code, "attackVector": ATTACK, **others}
    return generate(target_file_content=target, red_tests=[red_test], framework="unittest", language="python")


def inserted(target: str, code: str = "self.assertEqual(1, 2)", **others: str) -> str:
    result = insert(target, code, **others)
    ast.parse(result.content.removeprefix("\ufeff"))
    red_test = {"testName": NAME, "testCode": code, "attackVector": ATTACK, **others}
    again = generate(
        target_file_content=result.content, red_tests=[red_test], framework="unittest", language="python"
    )
    assert again.content == result.content
    return result.content


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def parent_of(integration: Integration) -> str:
    assert integration.point is not None
    return integration.point.parent


def codes(integration: Integration) -> list[str]:
    return [warning.code for warning in integration.warnings]


CASE = "class ATest(unittest.TestCase):\n    def test_a(self):\n        pass\n"
TWO = "class UserTest(unittest.TestCase):\n    def test_a(self):\n        pass\n\n\n" + CASE


class TestPlace:
    def test_method_goes_after_the_last_test_of_the_class(self):
        result = insert(f"import unittest\n\n\n{CASE}\n\nif __name__ == '__main__':\n    unittest.main()\n")
        assert result.content == dedent("""
            import unittest


            class ATest(unittest.TestCase):
                def test_a(self):
                    pass

                def test_security_rejects_sql_injection(self):
                    # security: rejects SQL injection
                    # attack vector: ' OR 1=1 --
                    self.assertEqual(1, 2)


            if __name__ == '__main__':
                unittest.main()
            """)
        assert result.point is not None
        assert (result.method, result.point.strategy, result.point.parent) == (
            "ast",
            "after_last_method",
            "ATest",
        )

    def test_empty_file_becomes_a_complete_one(self):
        assert inserted("") == dedent("""
            import unittest


            class TestSecurity(unittest.TestCase):
                def test_security_rejects_sql_injection(self):
                    # security: rejects SQL injection
                    # attack vector: ' OR 1=1 --
                    self.assertEqual(1, 2)
            """)

    @pytest.mark.parametrize(
        "unfit",
        [
            "@unittest.skip('x')\n" + CASE,
            "@unittest.skipUnless(x, 'x')\n" + CASE,
            "class ATest:\n    def test_a(self):\n        pass\n\n\nclass BTest(ATest, unittest.TestCase):\n"
            "    x = 1\n",
            "class Base(unittest.TestCase):\n    def test_a(self):\n        pass\n\n\nclass ATest(Base):\n"
            "    x = 1\n",
            "@unittest.skip('x')\nclass Base(unittest.TestCase):\n    pass\n\n\nclass ATest(Base):\n"
            "    def test_a(self):\n        pass\n",
            "class ATest(unittest.TestCase):\n    def setUp(self):\n        self.skipTest('x')\n\n"
            "    def test_a(self):\n        pass\n",
            "class ATest(unittest.TestCase):\n    class Inner(unittest.TestCase):\n"
            "        def test_a(self):\n            pass\n",
            "def make():\n    class ATest(unittest.TestCase):\n        def test_a(self):\n            pass\n",
            "if x:\n    class ATest(unittest.TestCase):\n        def test_a(self):\n            pass\n",
            "def test_a():\n    pass\n",
        ],
    )
    def test_unsuitable_class_is_replaced_by_a_new_one(self, unfit):
        content = inserted("import unittest\n\n\n" + unfit)
        assert "class TestSecurity(unittest.TestCase):\n    def test_security" in content

    def test_of_two_classes_of_one_name_the_last_takes_it_as_the_first_is_hidden(self):
        other = CASE.replace("test_a", "test_b")
        content = inserted(f"import unittest\n\n\n{CASE}\n\n{other}")
        assert content.index("test_b") < content.index("test_security")
        assert "TestSecurity" not in content

    def test_class_is_chosen_by_its_name(self):
        result = insert("import unittest\n\n\n" + TWO, vulnerableCodePath="app/users.py")
        assert parent_of(result) == "UserTest"

    def test_without_evidence_for_a_class_a_new_one_is_made(self):
        assert "class TestSecurity" in inserted("import unittest\n\n\n" + TWO, "assert 1 == 2")

    @pytest.mark.parametrize(
        ("base", "code"), [("TestCase", "assert 0"), ("IsolatedAsyncioTestCase", "await f()")]
    )
    def test_base_may_be_imported_by_another_name(self, base, code):
        target = f"from unittest import {base} as C\n\n\nclass A(C):\n    def test_a(self):\n        pass\n"
        assert "class TestSecurity" not in inserted(target, code)

    def test_security_class_is_used_again(self):
        first = inserted("import unittest\n\n\n" + TWO, "assert 1 == 2")
        red_test = {"testName": "another", "testCode": "assert 2 == 3", "attackVector": "x"}
        second = generate(
            target_file_content=first, red_tests=[red_test], framework="unittest", language="python"
        )
        assert parent_of(second) == "TestSecurity"
        assert second.content.count("class TestSecurity") == 1


class TestWriting:
    def test_awaiting_test_gets_a_class_that_awaits(self):
        content = inserted("import unittest\n\n\n" + CASE, "import asyncio\nawait asyncio.sleep(0)\nassert 0")
        assert "class TestSecurity(unittest.IsolatedAsyncioTestCase):\n    async def test_" in content

    def test_awaiting_class_takes_it(self):
        target = "class ATest(IsolatedAsyncioTestCase):\n    async def test_a(self):\n        pass\n"
        content = inserted("from unittest import IsolatedAsyncioTestCase\n\n\n" + target, "await x()")
        assert "TestSecurity" not in content

    def test_functions_become_methods(self):
        content = inserted("import unittest\n\n\n" + CASE, "def test_b():\n    assert 1 == 2\n")
        assert "    def test_b(self):\n        # security" in content
        assert "TestSecurity" not in content

    def test_functions_with_helpers_become_a_class(self):
        code = "LIMIT = 1\n\n\ndef helper():\n    return LIMIT\n\n\ndef test_b():\n    assert helper() == 2\n"
        content = inserted("from unittest import TestCase\n\n\n", code)
        assert "class TestSecurity(TestCase):\n    def test_b(self):\n" in content
        assert content.index("def helper():") < content.index("class TestSecurity")

    def test_pytests_class_becomes_a_test_case(self):
        content = inserted(
            "import unittest\n\n\n" + CASE, "class TestX:\n    def test_x(self):\n        assert 0"
        )
        assert "class TestX(unittest.TestCase):" in content

    @pytest.mark.parametrize(
        ("code", "own"),
        [
            ("with pytest.raises(ValueError):\n    f()", "with self.assertRaises(ValueError):"),
            (
                "with pytest.raises(OSError, match='a'):\n    f()",
                "with self.assertRaisesRegex(OSError, 'a'):",
            ),
            ("import pytest\npytest.fail('no')", "self.fail('no')"),
        ],
    )
    def test_pytests_assertions_become_its_own(self, code, own):
        content = inserted("import unittest\n\n\n" + CASE, code)
        assert own in content
        assert "pytest" not in content

    def test_pytest_that_is_still_needed_is_reported(self):
        code = "with pytest.raises(ValueError) as caught:\n    f()\nassert caught.value"
        result = insert("import unittest\n\n\n" + CASE, code)
        assert "with pytest.raises(ValueError) as caught:" in result.content
        assert "import_added" in codes(result)

    def test_unittest_as_the_file_calls_it(self):
        content = inserted("import unittest as ut\n\n\nclass A(ut.TestCase):\n    x = 1\n", "assert 1 == 2")
        assert "class TestSecurity(ut.TestCase):" in content
        assert "import unittest\n" not in content

    def test_base_of_the_file_where_the_test_needs_it(self):
        target = (
            "from django.test import TestCase\n\n\n@skip\nclass A(TestCase):\n    def test_a(self): pass\n"
        )
        target += "\n\nclass B(TestCase):\n    x = 1\n"
        assert "class TestSecurity(TestCase):" in inserted(target, "assert self.client.get('/') == 1")

    def test_names_never_become_code(self):
        hostile = 'a"""\n\0\x00`${x}` #{y} \'); import os\r\nos.system("x")\u2028'
        red_test = {"testName": hostile, "testCode": "assert 0", "attackVector": hostile}
        result = generate(
            target_file_content="import unittest\n\n\n" + CASE,
            red_tests=[red_test],
            framework="unittest",
            language="python",
        )
        (new,) = [each for each in ast.parse(result.content).body[1].body if "security" in each.name]
        assert [type(each) for each in new.body] == [ast.Assert]

    def test_crlf_tabs_and_the_missing_last_newline_stay(self):
        target = "\ufeffimport unittest\r\n\r\nclass A(unittest.TestCase):\r\n\tdef test_a(self):\r\n\t\tpass"
        content = inserted(target, "x = '''\n a\n'''\nassert x")
        assert content.startswith(target + "\r\n\r\n\tdef test_security")
        assert "\n" not in content.replace("\r\n", "")


class TestWarnings:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("raise unittest.SkipTest('x')\n", "module_skipped"),
            ("if x:\n    raise unittest.SkipTest('x')\n", "module_may_be_skipped"),
            ("c = import_helper.import_module('c')\n", "module_may_be_skipped"),
            ("def setUpModule():\n    raise unittest.SkipTest\n", "module_may_be_skipped"),
            ("def load_tests(loader, tests, pattern):\n    return suite()\n", "load_tests_chooses"),
        ],
    )
    def test_what_keeps_the_file_from_running(self, line, code):
        assert code in codes(insert(f"import unittest\n{line}\n\n{CASE}"))

    def test_load_tests_that_only_adds_is_fine(self):
        line = "def load_tests(loader, tests, ignore):\n    tests.addTests(x)\n    return tests\n"
        assert codes(insert(f"import unittest\n{line}\n\n{CASE}")) == []

    def test_unbound_name(self):
        assert codes(insert("import unittest\n\n\n" + CASE, "assert client.get('/')")) == ["unbound_name"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(python.targets, python.red_tests)
def test_whatever_the_file_old_bytes_stay_and_repeating_changes_nothing(target, tests):
    def insert_all(text: str) -> Integration:
        return generate(target_file_content=text, red_tests=tests, framework="unittest", language="python")

    try:
        result = insert_all(target)
    except TargetRejected:
        assume(False)
        raise
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    assert content.decode() == target
    assert python.error_count(result.content) <= python.error_count(target)
    assert insert_all(result.content).content == result.content
    if python.is_python(target):
        assert python.is_python(result.content)


def test_a_long_file_is_quick():
    method = "    def test_{0}(self):\n        self.assertEqual({0}, {0})\n\n"
    target = "import unittest\n\n\nclass A(unittest.TestCase):\n" + "".join(map(method.format, range(3300)))
    started = time.thread_time()
    insert(target)
    assert time.thread_time() - started < 1
