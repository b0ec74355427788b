"""Insertion into pytest files: placement, rendered code, warnings."""

import ast
import textwrap

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.services import generate

NAME, ATTACK = "rejects SQL injection", "' OR 1=1 --"


def red(code: str, name: str = NAME, attack: str = ATTACK, **others: str) -> dict[str, str]:
    return {"testName": name, "testCode": code, "attackVector": attack, **others}


def insert(target: str, code: str = "assert 1 == 2", **others: str) -> Integration:
    return generate(
        target_file_content=target, red_tests=[red(code, **others)], framework="pytest", language="python"
    )


def inserted(target: str, code: str = "assert 1 == 2", **others: str) -> str:
    return insert(target, code, **others).content


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def parent_of(integration: Integration) -> str:
    assert integration.point is not None
    return integration.point.parent


def codes(integration: Integration) -> list[str]:
    return [warning.code for warning in integration.warnings]


ONE_TEST = "def test_a():\n    pass\n"
ONE_CLASS = "class TestA:\n    def test_a(self):\n        pass\n"


class TestPlace:
    def test_function_goes_after_the_last_test(self):
        result = insert("import os\n\n\ndef test_a():\n    pass\n\n\ndef helper():\n    pass\n")
        assert result.content == dedent("""
            import os


            def test_a():
                pass


            def test_security_rejects_sql_injection():
                # security: rejects SQL injection
                # attack vector: ' OR 1=1 --
                assert 1 == 2


            def helper():
                pass
            """)
        assert result.point is not None
        assert (result.method, result.point.line, result.point.strategy) == ("ast", 8, "after_last_test")

    def test_method_goes_after_the_last_method(self):
        result = insert(ONE_CLASS + "\n\nX = 1\n")
        assert result.content == dedent("""
            class TestA:
                def test_a(self):
                    pass

                def test_security_rejects_sql_injection(self):
                    # security: rejects SQL injection
                    # attack vector: ' OR 1=1 --
                    assert 1 == 2


            X = 1
            """)
        assert result.point is not None
        assert (result.point.strategy, result.point.parent) == ("after_last_method", "TestA")

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("", "with pytest.raises(ValueError):\n    int('x')")
        assert (result.method, result.point) == ("append", None)
        assert result.content.startswith("import pytest\n")
        ast.parse(result.content)

    def test_main_block_stays_last(self):
        result = insert("import os\n\n# run me\nif __name__ == '__main__':\n    main()\n")
        assert result.content.index("def test_") < result.content.index("# run me")

    def test_comment_that_is_indented_stays_with_its_function(self):
        result = inserted("def test_a():\n    pass\n    # about a\n\n    # still a\n\n# about b\nb = 1\n")
        assert result.index("# still a") < result.index("def test_security") < result.index("# about b")

    @pytest.mark.parametrize(
        "unfit",
        [
            "class TestB:\n    def __init__(self):\n        pass\n    def test_b(self):\n        pass\n",
            "class Helpers:\n    def test_b(self):\n        pass\n",
            "class TestB:\n    __test__ = False\n    def test_b(self):\n        pass\n",
            "@pytest.mark.skip\nclass TestB:\n    def test_b(self):\n        pass\n",
            "@pytest.mark.skipif(x, reason='')\nclass TestB:\n    def test_b(self):\n        pass\n",
            "@pytest.mark.parametrize('a', [1])\nclass TestB:\n    def test_b(self, a):\n        pass\n",
            "@patch('x')\nclass TestB:\n    def test_b(self, mock):\n        pass\n",
            "class TestB:\n    pytestmark = pytest.mark.xfail\n    def test_b(self):\n        pass\n",
            "class TestB:\n    def test_b(self): pass\nclass TestC(TestB):\n    x = 1\n",
            "class TestB: test_b = lambda self: 1\n",
            "if x:\n    class TestB:\n        def test_b(self):\n            pass\n",
            "for x in y:\n    def test_b():\n        pass\n",
            "@skip\nclass TestA:\n    class TestB:\n        def test_b(self):\n            pass\n",
        ],
        ids=[
            "constructor",
            "not named Test",
            "not a test",
            "skipped",
            "skipped under a condition",
            "parametrized",
            "patched",
            "expected to fail",
            "inherited by another",
            "one line",
            "conditional",
            "loop",
            "inside a skipped one",
        ],
    )
    def test_never_goes_where_it_would_not_run_once(self, unfit):
        result = insert("import pytest\n\n\n" + unfit)
        (line,) = [each for each in result.content.split("\n") if "def test_security" in each]
        assert line.startswith("def ")

    def test_mark_that_changes_nothing_does_not_prevent_insertion(self):
        assert parent_of(insert("@pytest.mark.django_db\n" + ONE_CLASS)) == "TestA"

    def test_nested_class_is_named_with_those_around(self):
        nested = "class TestA:\n    class TestB:\n        def test_b(self):\n            pass\n"
        assert parent_of(insert(nested)) == "TestA.TestB"

    def test_bare_backslash_continues_the_line(self):
        ast.parse(inserted("def test_a():\n    assert 1 \\\n        == 1 \\\n\nx = 1\n"))


class TestChoiceOfClass:
    TWO = dedent("""
        from shop.orders import place_order
        from shop.users import login as sign_in


        class TestSigningIn:
            def test_a(self):
                assert sign_in("x")


        class TestOrders:
            def test_b(self):
                assert place_order(1)


        class TestZebra:
            def test_c(self):
                pass
        """)

    @pytest.mark.parametrize(
        ("vulnerable_file", "parent"),
        [
            ("src/shop/users.py", "TestSigningIn"),
            ("shop/orders.py", "TestOrders"),
            ("order.py", "TestOrders"),
        ],
    )
    def test_follows_the_vulnerable_file(self, vulnerable_file, parent):
        assert parent_of(insert(self.TWO, vulnerableCodePath=vulnerable_file)) == parent

    def test_follows_what_the_test_calls(self):
        assert parent_of(insert(self.TWO, "assert place_order(2)")) == "TestOrders"

    def test_without_evidence_makes_one_for_security(self):
        result = insert(self.TWO)
        assert result.point is not None
        assert result.point.strategy == "new_class"
        assert "class TestSecurity:\n    def test_security" in result.content

    def test_security_class_is_reused(self):
        first = inserted(self.TWO)
        second = insert(first, "assert 3 == 4", name="another")
        assert parent_of(second) == "TestSecurity"
        assert second.content.count("class TestSecurity") == 1

    def test_functions_beside_classes_are_joined_by_functions(self):
        assert parent_of(insert(ONE_CLASS + "\n\n" + ONE_TEST)) == "module"

    def test_class_of_the_vulnerable_file_outweighs_functions(self):
        target = ONE_TEST + "\n\nclass TestUsers:\n    def test_b(self):\n        pass\n"
        assert parent_of(insert(target, vulnerableCodePath="app/users.py")) == "TestUsers"

    def test_self_goes_where_its_attributes_are(self):
        target = (
            "class TestA:\n    def test_a(self):\n        pass\n\n\n"
            "class TestB:\n    def setup_method(self):\n        self.shop = 1\n\n"
            "    def test_b(self):\n        pass\n\n\n" + ONE_TEST
        )
        assert parent_of(insert(target, "assert self.shop == 2")) == "TestB"

    def test_assertions_of_unittest_need_a_test_case(self):
        target = "import unittest as u\n\n\n" + ONE_CLASS
        result = inserted(target, "self.assertEqual(1, 2)")
        assert "class TestSecurity(u.TestCase):\n    def test_security" in result

    def test_test_case_takes_no_fixtures(self):
        target = "class FooTest(TestCase):\n    def test_a(self):\n        pass\n"
        result = inserted(target, "assert tmp_path.exists() is False")
        assert "\n\ndef test_security_rejects_sql_injection(tmp_path):" in result

    def test_awaiting_stays_out_of_a_plain_test_case(self):
        target = "class FooTest(TestCase):\n    def test_a(self):\n        pass\n"
        assert "\nasync def test_security" in inserted(target, "await f()")

    def test_bare_self_needs_a_class_too(self):
        assert "class TestSecurity:\n    def test_security" in inserted(ONE_TEST, "assert check(self)")

    def test_self_beside_helpers_is_rejected(self):
        with pytest.raises(InvalidTestCode, match="make it a class"):
            insert(ONE_TEST, "def helper():\n    pass\n\ndef test_b(self):\n    assert self.x")


class TestFixtures:
    def test_parameter_of_a_sibling_becomes_one(self):
        result = inserted("def test_a(client, x):\n    pass\n", "assert client.get('/') == 2")
        assert "def test_security_rejects_sql_injection(client):" in result

    def test_fixture_of_the_file_becomes_one(self):
        target = "@pytest.fixture(name='shop')\ndef make():\n    pass\n\n\n" + ONE_TEST
        assert "sql_injection(shop):" in inserted(target, "assert shop")

    def test_fixture_of_the_class_becomes_one(self):
        target = ONE_CLASS.replace(
            "    def", "    @pytest.fixture\n    def shop(self):\n        pass\n\n    def"
        )
        assert "sql_injection(self, shop):" in inserted(target, "assert shop")

    def test_parameter_of_parametrize_does_not(self):
        target = "@pytest.mark.parametrize('a, b', [(1, 2)])\ndef test_a(a, b):\n    pass\n"
        result = insert(target, "assert a")
        assert "sql_injection():" in result.content
        assert "unbound_name" in codes(result)

    def test_name_of_the_file_hides_a_builtin_fixture(self):
        assert "sql_injection():" in inserted("from x import cache\n\n\n" + ONE_TEST, "assert cache")

    def test_name_bound_in_the_body_is_none(self):
        assert "sql_injection():" in inserted(
            "def test_a(client):\n    pass\n", "client = 1\nassert client == 2"
        )

    def test_assumes_common_plugin_fixtures_with_a_warning(self):
        result = insert(ONE_TEST, "assert mocker")
        assert "sql_injection(mocker):" in result.content
        assert codes(result) == ["fixture_assumed"]


class TestAsync:
    def test_marks_as_the_file_does(self):
        target = "@pytest.mark.asyncio(loop_scope='module')\nasync def test_a():\n    pass\n"
        result = inserted(target, "await f()")
        assert result.count("@pytest.mark.asyncio(loop_scope='module')\nasync def test_") == 2

    @pytest.mark.parametrize(
        "head", ["pytestmark = pytest.mark.anyio\n", "pytestmark = [pytest.mark.anyio]\n"]
    )
    def test_marks_nothing_where_the_file_marks_all(self, head):
        assert "\n\nasync def test_security" in inserted(head + "\n\n" + ONE_TEST, "async with a:\n    pass")

    def test_marks_nothing_where_async_tests_need_none(self):
        assert "@" not in inserted("async def test_a():\n    pass\n", "x = [a async for a in b]")

    def test_assumes_an_async_plugin_with_a_warning(self):
        result = insert(ONE_TEST, "await 1")
        assert "import pytest\n" in result.content
        assert "@pytest.mark.asyncio\nasync def test_security" in result.content
        assert codes(result) == ["async_plugin_assumed"]

    def test_await_in_an_inner_function_is_not_the_tests(self):
        assert "\ndef test_security" in inserted(ONE_TEST, "async def f():\n    await g()\nassert f")

    def test_complete_async_test_is_marked_too(self):
        target = "@mark.asyncio\nasync def test_a():\n    pass\n"
        assert inserted(target, "async def test_b():\n    await f()").count("@mark.asyncio\n") == 2


class TestBody:
    @pytest.mark.parametrize(
        "code",
        [
            "    if 1:\n        x = '''\nraw\n  '''\n    assert x",
            "if 1:\n    x = '''\nraw\n  '''\nassert x",
            "if 1:\r\n    x = '''\r\nraw\r\n  '''\r\nassert x",
            "\n\n\tif 1:\n\t    x = '''\nraw\n  '''\n\tassert x\n\n",
        ],
        ids=["indented", "even", "CRLF", "tab"],
    )
    def test_is_indented_but_never_within_strings(self, code):
        assert "x = '''\nraw\n  '''\n    assert x" in inserted(ONE_TEST, code)

    def test_restores_a_lost_first_indent(self):
        assert "    a = 1\n    b = 2\n" in inserted(ONE_TEST, "a = 1\n        b = 2\n        assert a == b")

    def test_keeps_its_imports(self):
        result = inserted(ONE_TEST, "import os\nfrom app import x\nassert os == x")
        assert "    import os\n    from app import x\n" in result

    def test_missing_pytest_is_imported_after_the_head(self):
        target = '"""Doc."""\nfrom __future__ import annotations\nimport os; import re\n\n\n' + ONE_TEST
        result = inserted(target, "with pytest.raises(ValueError):\n    f()")
        assert "import os; import re\nimport pytest\n\n\ndef test_a" in result

    def test_unbound_names_are_reported(self):
        result = insert("import os\n\n\n" + ONE_TEST, "assert os.sep == frobnicate(User)")
        assert [warning.message for warning in result.warnings] == [
            "nothing binds `frobnicate`, which the test reads",
            "nothing binds `User`, which the test reads",
        ]

    def test_star_import_may_bind_anything(self):
        assert codes(insert("from x import *\n\n\n" + ONE_TEST, "assert frobnicate")) == []

    def test_levels_are_as_deep_as_the_files(self):
        result = inserted("def test_a():\n\tpass\n", "if 1:\n    assert 2\n")
        assert "\tif 1:\n\t\tassert 2\n" in result

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("def (", "invalid syntax"),
            ("# nothing", "no statement"),
            ("return = 1", "invalid syntax"),
            ("from x import *", "import \\*"),
            ("f(a=1, 2)", "positional"),
            ("nonlocal x", "nonlocal"),
            ("(" * 10_000, "parenthes"),
            ("x = " + "-" * 60_000 + "1", "complex|recursion"),
            ("x = " + "1+" * 60_000 + "1", "complex|recursion"),
            ("x" + ".a" * 60_000, "complex|recursion"),
        ],
        ids=range(10),
    )
    def test_invalid_python_is_rejected_with_the_reason(self, code, reason):
        with pytest.raises(InvalidTestCode, match=reason):
            insert(ONE_TEST, code)


class TestCompleteTests:
    def test_keep_their_name_decorators_and_docstring(self):
        result = inserted(ONE_TEST, '@pytest.mark.slow\ndef test_b(x):\n    """Doc."""\n    assert x')
        assert result.endswith(
            "@pytest.mark.slow\ndef test_b(x):\n    # security: rejects SQL injection\n"
            '    # attack vector: \' OR 1=1 --\n    """Doc."""\n    assert x\n'
        )

    def test_fixtures_and_helpers_among_them_are_not_marked(self):
        code = (
            "class TestX:\n    @pytest.fixture\n    def c(self):\n        return 1\n\n"
            "    def test_c(self, c):\n        assert 0"
        )
        content = inserted(ONE_TEST, code)
        assert content.count("# security: ") == 1
        assert "def c(self):\n        return 1\n" in content

    def test_used_name_gets_a_number(self):
        assert "def test_a_2():" in inserted(ONE_TEST, "def test_a():\n    assert 0")

    def test_one_line_is_opened_up(self):
        assert "def test_b():\n    # security" in inserted(ONE_TEST, "def test_b(): assert 0; assert 1")

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [("", "self"), ("client", "self, client"), ("self, a", "self, a"), ("*, a", "self, *, a")],
    )
    def test_become_methods_in_a_class(self, parameters, expected):
        assert f"    def test_b({expected}):" in inserted(
            ONE_CLASS, f"def test_b({parameters}):\n    assert 0"
        )

    @pytest.mark.parametrize(
        ("parameters", "expected"), [("self", ""), ("self, a", "a"), ("self: T, a", "a")]
    )
    def test_lose_an_unused_self_outside_a_class(self, parameters, expected):
        assert f"\ndef test_b({expected}):" in inserted(ONE_TEST, f"def test_b({parameters}):\n    assert 0")

    def test_class_stands_beside_classes(self):
        result = inserted(ONE_CLASS, "class TestB:\n    x = 1\n\n    def test_b(self):\n        assert 0")
        assert "\n\n\nclass TestB:\n    x = 1\n\n    def test_b(self):\n        # security" in result

    def test_class_with_an_existing_name_adds_its_methods(self):
        result = insert(ONE_CLASS, "class TestA:\n    def test_b(self):\n        assert 0")
        assert result.content.count("class TestA") == 1
        assert parent_of(result) == "TestA"

    def test_standard_imports_go_to_the_others(self):
        result = inserted(
            "import os\n\n\n" + ONE_TEST, "import os\nimport re\n\ndef test_b():\n    assert re is os"
        )
        assert result.startswith("import os\nimport re\n\n\ndef test_a")

    def test_import_that_could_fail_moves_into_the_test(self):
        result = inserted(ONE_TEST, "from app import login\n\ndef test_b():\n    assert login()")
        assert "    from app import login\n    assert login()" in result
        assert not result.startswith("from")

    def test_import_that_would_take_a_name_stays_inside(self):
        target = "import simplejson as json\n\n\n" + ONE_TEST
        result = inserted(target, "import json\n\ndef test_b():\n    assert json")
        assert "    import json\n    assert json" in result

    def test_statement_that_runs_code_moves_into_what_needs_it(self):
        code = "from app import App\nclient = App().client()\n\ndef test_b():\n    assert client.x\n"
        assert "    from app import App\n    client = App().client()\n    assert" in inserted(ONE_TEST, code)

    def test_what_a_decorator_needs_stays_outside_and_is_reported(self):
        result = insert(ONE_TEST, "from app import slow\n\n@slow\ndef test_b():\n    assert 0")
        assert "from app import slow\n\n\n@slow\ndef test_b" in result.content
        assert codes(result) == ["runs_at_collection"]

    def test_helper_of_a_used_name_is_renamed_throughout(self):
        target = "def make():\n    pass\n\n\n" + ONE_TEST
        result = inserted(target, "def make(make=1):\n    return x.make\n\ndef test_b():\n    assert make()")
        assert "def make_2(make_2=1):\n    return x.make" in result
        assert "assert make_2()" in result

    def test_fixture_does_not_replace_that_of_the_siblings(self):
        code = "@pytest.fixture\ndef client():\n    return 1\n\ndef test_b(client):\n    assert client"
        result = inserted("def test_a(client):\n    pass\n", code)
        assert "def client_2():" in result
        assert "def test_b(client_2):" in result

    def test_main_block_and_docstring_are_left_behind(self):
        code = '"""Doc."""\n\ndef test_b():\n    assert 0\n\nif __name__ == "__main__":\n    pytest.main()\n'
        result = inserted(ONE_TEST, code)
        assert "Doc." not in result
        assert "__main__" not in result

    def test_lone_function_is_the_test(self):
        assert "def test_security_check():" in inserted(ONE_TEST, "def check():\n    assert 0")

    @pytest.mark.parametrize(
        "hook",
        [
            "pytestmark = pytest.mark.skip",
            "def setup_module():\n    pass",
            "def pytest_generate_tests(metafunc):\n    pass",
            "@pytest.fixture(autouse=True)\ndef f():\n    pass",
            "from app import *",
        ],
    )
    def test_code_that_affects_the_old_tests_is_rejected(self, hook):
        with pytest.raises(InvalidTestCode):
            insert(ONE_TEST, f"{hook}\n\ndef test_b():\n    assert 0")


class TestData:
    HOSTILE = [
        '"',
        "'",
        '"""',
        "\\",
        "\\\n",
        "\n",
        "\r",
        "\0",
        "\u2028",
        "\u202e",
        "é注",
        "\ud800",
        "{x}",
        "%s",
        "#",
    ]

    @pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
    def test_never_becomes_code(self, data):
        data += "\nimport os; os.abort()\n" + data
        result = inserted(ONE_TEST, name=f"x{data}", attack=data, expectedBehavior=data)
        tree = ast.parse(result)
        assert len(tree.body) == 2
        assert ast.dump(tree.body[1].body[0]) == ast.dump(ast.parse("assert 1 == 2").body[0])  # type: ignore[attr-defined]

    def test_name_and_attack_appear_as_they_are(self):
        result = inserted(ONE_TEST, name='rejects "x" \\ é', attack='"""; drop')
        assert 'rejects "x" \\ é' in result
        assert '"""; drop' in result

    def test_name_without_letters_still_makes_a_function(self):
        assert "def test_security():" in inserted(ONE_TEST, name="注入")

    def test_security_is_in_the_name_once(self):
        assert "def test_security_check():" in inserted(ONE_TEST, name="test security check")


class TestSelfSkippingFile:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("pytestmark = pytest.mark.skip", "module_skipped"),
            ("pytest.skip('x', allow_module_level=True)", "module_skipped"),
            ("__test__ = False", "module_skipped"),
            ("pytestmark = [pytest.mark.skipif(x)]", "module_may_be_skipped"),
            ("if x:\n    pytest.skip('x', allow_module_level=True)", "module_may_be_skipped"),
            ("np = pytest.importorskip('numpy')", "module_may_be_skipped"),
            ("pytestmark = pytest.mark.xfail", "module_expected_to_fail"),
        ],
    )
    def test_is_reported(self, line, code):
        result = insert(f"import pytest\n\n{line}\n\n\n{ONE_TEST}")
        assert [(warning.code, warning.line) for warning in result.warnings] == [(code, 3 + line.count("\n"))]

    @pytest.mark.parametrize(
        "line", ["x = 'pytest.skip(allow_module_level=True)'", "pytestmark = pytest.mark.db"]
    )
    def test_other_files_are_not_reported(self, line):
        assert codes(insert(f"{line}\n\n\n{ONE_TEST}")) == []

    def test_parametrized_file_is_rejected(self):
        with pytest.raises(TargetRejected, match="parametrizes"):
            insert("pytestmark = pytest.mark.parametrize('a', [1])\n\n\ndef test_a(a):\n    pass\n")


class TestSize:
    def test_code_that_is_too_long_for_a_test_is_rejected(self):
        with pytest.raises(InvalidTestCode, match="too long"):
            insert(ONE_TEST, "f(1); " * 30_000)
