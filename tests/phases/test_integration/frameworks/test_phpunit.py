"""Insertion into PHPUnit files: placement, rendered code, warnings."""

import json
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks.shared import (
    HOSTILE,
    NAME,
    Into,
    codes,
    dedent,
    mutated,
    parent_of,
    quick,
    red_tests,
    without_inserted,
)
from tests.phases.test_integration.runners.needs import need

PHP = Into("phpunit", "php", "$this->assertSame(1, 2);")
insert, inserted = PHP.insert_one, PHP.inserted


TARGET = dedent("""
    <?php

    declare(strict_types=1);

    namespace App\\Tests;

    use App\\Users;
    use PHPUnit\\Framework\\TestCase;

    final class UsersTest extends TestCase
    {
        public function testA(): void
        {
            $this->assertTrue(true);
        }

        private function helper(): string
        {
            return 'x';
        }
    }
    """)


def with_class(text: str) -> str:
    """Return a file with these classes."""
    return "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\n" + dedent(text)


class TestPlace:
    def test_method_goes_after_the_last_test(self):
        result = insert(TARGET)
        assert (
            dedent("""
                public function testSecurityRejectsSqlInjection(): void
                {
                    // security: rejects SQL injection
                    // attack vector: ' OR 1=1 --
                    $this->assertSame(1, 2);
                }
            """)
            .replace("\n", "\n    ")
            .rstrip(" ")
            in result.content
        )
        assert result.content.index("testSecurity") < result.content.index("helper")
        assert (result.method, parent_of(result)) == ("ast", "UsersTest")

    def test_line_is_that_of_the_new_method(self):
        result = insert(TARGET)
        assert result.point is not None
        assert "testSecurity" in result.content.split("\n")[result.point.line - 1]

    @pytest.mark.parametrize(
        "unfit",
        [
            "abstract class OtherTest extends TestCase\n{\n    public function testB() {}\n}\n",
            "trait OtherTest\n{\n    public function testB() {}\n}\n",
            "class OtherStub\n{\n    public function testB() {}\n}\n",
            "class OtherStub extends Model\n{\n    public function testB() {}\n}\n",
            "if (true) {\n    class OtherTest extends TestCase\n    {\n"
            "        public function testB() {}\n    }\n}\n",
            "class OtherTest extends TestCase\n{\n    public static function testB() {}\n"
            "    function x() {}\n}\n",
        ],
        ids=["abstract", "trait", "no base", "stub", "conditional", "static"],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_unsuitable_classes_are_not_chosen(self, unfit, is_first):
        fit = "class UsersTest extends TestCase\n{\n    public function testA() {}\n}\n"
        target = "<?php\n\n" + (f"{unfit}\n{fit}" if is_first else f"{fit}\n{unfit}")
        assert parent_of(insert(target, vulnerableCodePath="src/Other.php")) == "UsersTest"

    def test_class_is_chosen_by_what_it_is_about(self):
        target = with_class("""
            class OrdersTest extends TestCase { public function testA() {} }

            class UsersTest extends TestCase
            {
                public function testA() {}
            }

            class MailTest extends TestCase { public function testA() {} }
            """)
        result = insert(target, vulnerableCodePath="src/Users.php")
        assert parent_of(result) == "UsersTest"
        assert codes(result) == ["several_classes"]

    def test_class_that_another_extends_is_not_chosen(self):
        target = with_class("""
            class BaseTest extends TestCase { public function testA() {} }
            class UsersTest extends BaseTest { public function testB() {} }
            """)
        assert parent_of(insert(target)) == "UsersTest"

    def test_base_of_the_same_name_in_another_namespace(self):
        target = "<?php\nclass ATest extends \\Other\\ATest\n{\n}\n"
        assert "{\n    public function testSecurity" in inserted(target)

    def test_one_line_class(self):
        target = "<?php class ATest extends TestCase { public function testA() {} }"
        result = insert(target)
        assert (result.method, parent_of(result)) == ("ast", "ATest")
        assert without_inserted(result) == target

    def test_empty_class(self):
        result = insert("<?php\nclass ATest extends TestCase\n{\n}\n")
        assert "{\n    public function testSecurity" in result.content

    def test_comment_after_the_closer_stays_there(self):
        result = inserted(TARGET.replace("    }\n\n    private", "    } // end of A\n\n    private"))
        assert "    } // end of A\n\n    public function testSecurity" in result

    def test_heredoc_in_the_last_test(self):
        target = TARGET.replace(
            "$this->assertTrue(true);", "$x = <<<EOT\n} }\n  EOT;\n        $y = <<<'A'\n}\nA;"
        )
        assert insert(target).method == "ast"

    def test_closing_tag_and_html(self):
        result = insert("<html>\n" + TARGET + "?>\n<b>}</b>\n")
        assert (result.method, parent_of(result)) == ("ast", "UsersTest")

    def test_namespace_with_braces(self):
        target = (
            "<?php\nnamespace A {\n    class ATest extends \\PHPUnit\\Framework\\TestCase\n    {\n    }\n}\n"
        )
        result = insert(target, "use B\\C;\n$this->assertNotNull(new C());")
        assert "        public function testSecurity" in result.content
        assert "new \\B\\C()" in result.content

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("", vulnerableCodePath="src/Users.php")
        assert result.method == "append"
        assert result.content.startswith(
            "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nclass UsersSecurityTest"
        )
        assert codes(result) == ["may_not_be_collected"]

    def test_file_with_only_an_abstract_class_gets_a_new_one(self):
        result = insert("<?php\nabstract class ATest extends TestCase\n{\n    function testA() {}\n}\n")
        assert "class SecurityTest extends \\PHPUnit\\Framework\\TestCase" in result.content
        assert "may_not_be_collected" in codes(result)

    @pytest.mark.parametrize(
        "target",
        ["<?php\n\nit('adds', function () {\n    expect(1)->toBe(1);\n});\n", "<?php\ntest('x')->todo();\n"],
    )
    def test_pest_is_rejected(self, target):
        with pytest.raises(TargetRejected, match="Pest"):
            insert(target)

    @pytest.mark.parametrize(
        "target", ["<b>hello</b>\n", "<?php namespace A { }", "<?php __halt_compiler(); x"]
    )
    def test_file_that_cannot_take_code_is_rejected(self, target):
        with pytest.raises(TargetRejected):
            insert(target)


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("old", "new"), [("    }\n", "    \n"), ("{\n        ", "\n        ")], ids=["closer", "opener"]
    )
    def test_a_method_without_brace_is_not_mistaken_for_another(self, old, new):
        with pytest.raises(TargetRejected):
            insert(TARGET.replace(old, new, 1))

    def test_code_of_very_many_methods_is_rejected(self):
        with pytest.raises(InvalidTestCode, match="more than"):
            insert(TARGET, "".join(f"function test{number}() {{}}\n" for number in range(501)))

    @pytest.mark.parametrize(
        "code", ["foo(1);\n" * 9000, "{" * 60_000 + "}" * 60_000, "$a = " + "fn($x) => " * 9000 + "1;"]
    )
    def test_code_that_is_too_complex_is_rejected(self, code):
        with pytest.raises(InvalidTestCode, match="too complex"):
            insert(TARGET, code)


class TestStyle:
    def test_attribute_as_the_file_has_it(self):
        target = TARGET.replace("    public function testA", "    #[Test]\n    public function it_works")
        result = inserted(target)
        assert "    #[Test]\n    public function security_rejects_sql_injection(): void" in result

    def test_annotation_as_the_file_has_it(self):
        target = TARGET.replace("    public function testA", "    /** @test */\n    public function itWorks")
        assert "    /** @test */\n    public function securityRejectsSqlInjection" in inserted(target)

    def test_brace_on_the_same_line_and_no_return_type(self):
        result = inserted(TARGET.replace("testA(): void\n    {", "test_a_thing() {"))
        assert "    public function test_security_rejects_sql_injection() {\n" in result

    def test_two_spaces_and_tabs(self):
        for unit in ("  ", "\t"):
            result = inserted(TARGET.replace("    ", unit), "if (1) {\n    $this->fail();\n}")
            assert f"{unit}public function testSecurity" in result
            assert f"\n{unit * 3}$this->fail();" in result

    def test_strings_are_not_moved(self):
        result = inserted(TARGET, "$x = <<<EOT\n a\n   b\n EOT;\n$y = 'c\nd';\n$this->fail($x . $y);")
        assert "<<<EOT\n a\n   b\n EOT;\n        $y = 'c\nd';\n        $this" in result

    @pytest.mark.parametrize("data", HOSTILE)
    def test_data_never_becomes_code(self, data):
        result = insert(TARGET, name=f"x {data}", attack=data)
        method = result.content.partition("function testSecurity")[2].partition("private function")[0]
        comments = [line for line in method.split("\n") if line.strip().startswith("//")]
        assert len(comments) == 2
        assert "?>" not in result.content


class TestCompleteTests:
    def test_method(self):
        result = inserted(TARGET, "public function testX(): void\n{\n    $this->fail();\n}")
        assert (
            "    public function testX(): void\n    {\n        // security: rejects SQL injection\n" in result
        )

    def test_method_of_a_used_name_gets_another(self):
        result = inserted(TARGET, "public function testa() { $this->fail(); }\nfunction helper() {}")
        assert "function testa2()" in result
        assert "function helper2()" in result

    def test_helpers_that_share_a_number_stay_apart(self):
        code = "function testX() { $this->helper(); }\nfunction helper() {}\nfunction helper2() {}"
        result = inserted(TARGET, code)
        assert "$this->helper3();" in result
        assert (result.count("function helper2()"), result.count("function helper3()")) == (1, 1)

    def test_class_gives_its_methods(self):
        code = dedent("""
            <?php
            namespace Other;
            use App\\Users;
            use App\\Orders as O;
            class FooTest extends TestCase
            {
                private $orders;

                protected function setUp(): void
                {
                    parent::setUp();
                    $this->orders = new O();
                }

                #[DataProvider('attacks')]
                public function testX(string $attack): void
                {
                    $this->assertNull($this->orders->find($attack));
                }

                public static function attacks(): array { return [['x']]; }
            }
            """)
        result = inserted(TARGET, code)
        assert "use PHPUnit\\Framework\\TestCase;\nuse App\\Orders as O;\n" in result
        assert "private function setUpSecurity(): void" in result
        assert "$this->setUpSecurity();" in result
        assert "parent::setUp" not in result
        assert "class FooTest" not in result

    @pytest.mark.parametrize(
        "code",
        [
            "} class B {",
            "$x = ;",
            "class A extends TestCase { function tearDown(): void {} function testA() {} }",
            "class A extends TestCase { use Refresh; function testA() {} }",
            "class A extends TestCase { private $helper; const B = 1; function testA() {} }\nclass B {}",
            "<<<EOT\n",
            "// nothing",
            "/* open",
            "?>\n",
        ],
    )
    def test_code_that_affects_other_tests_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(TARGET, code)


class TestNames:
    def test_import_is_added_after_the_last(self):
        result = inserted(TARGET, "use App\\Orders;\n$this->assertNull(new Orders());")
        assert "use PHPUnit\\Framework\\TestCase;\nuse App\\Orders;\n\nfinal" in result

    def test_existing_import_is_not_repeated(self):
        assert inserted(TARGET, "use App\\Users;\n$this->fail(Users::class);").count("use App\\Users;") == 1

    def test_name_that_means_another_class_here_is_written_out(self):
        assert "new \\Other\\Users()" in inserted(TARGET, "use Other\\Users;\n$x = new Users();")

    @pytest.mark.parametrize("code", ["new Db();", "Db::open(new Db(), Db::X);"])
    def test_name_that_the_file_has_imported_meanwhile_makes_no_second_copy(self, code):
        code = f"use App\\Db;\n\n{code}"
        target = TARGET.replace("final class", "// Db is slow.\nfinal class")
        once = inserted(target, code)
        assert "\\App\\Db" in once
        later = once.replace("use App\\Users;", "use App\\Db;\nuse App\\Users;")
        assert inserted(later, code) == later

    def test_class_of_php_itself_is_found_from_a_namespace(self):
        assert "new \\PDO('x')" in inserted(TARGET, "$x = new PDO('x');")

    def test_names_that_nothing_binds_are_reported(self):
        result = insert(
            TARGET, "$x = new Orders($db);\n$y = new Users($x);\npreg_match('a', 'b', $m);\necho $m;"
        )
        assert [n.message.split("`")[1] for n in result.warnings] == ["Orders", "$db"]


class TestWarnings:
    def test_class_that_skips_itself(self):
        setup = "    protected function setUp(): void\n    {\n        $this->markTestSkipped();\n    }\n\n"
        result = insert(TARGET.replace("    public function testA", setup + "    public function testA"))
        assert codes(result) == ["module_skipped"]
        assert result.warnings[0].line == 14

    def test_class_that_may_skip_itself(self):
        setup = "    function setUp(): void { if (!extension_loaded('x')) { $this->markTestSkipped(); } }\n"
        target = TARGET.replace("    public function testA", setup + "    public function testA")
        assert codes(insert(target)) == ["module_may_be_skipped"]


CLASSES = [
    "class AUsersTest extends TestCase\n{\n    public function testA(): void\n    {\n"
    "        $x = 1; // b\n    }\n}\n",
    "final class BTest extends TestCase {\n    /** @test */\n"
    "    public function it_b() { $y = <<<E\n }\n E; }\n}\n",
    "abstract class CTest extends TestCase { function testC() {} }\n",
    "class DTest extends TestCase\n{\n    #[Test]\n    function d() {}\n\n    // last\n}\n",
    "trait T { function x() { return \"{$this->a['}']}\"; } }\n",
    "interface I {}\n",
    "function free() { return '}'; }\n",
    "class ETest extends TestCase { public function testE() {} /* end */ }\n",
    "/* comment } */\n",
]
BODIES = [
    PHP.body,
    "if (1) {\n    $x = 'a\n b';\n}\n$this->fail($x);",
    "use App\\Users;\n$this->assertNull(new Users(new PDO('x')));",
    "public function testA() { $this->fail(); }\nprivate function helper() {}",
    "/** @dataProvider p */\nfunction test_x($a) {\n  $this->fail();\n}\n"
    "static function p() { return [[1]]; }",
    "class XTest extends TestCase { function setUp(): void { parent::setUp(); } "
    "function testZ() { self::fail(); } }",
]
files = st.builds(
    lambda head, uses, classes: head + "".join(uses) + "\n" + "\n".join(classes),
    st.sampled_from(["<?php\n", "<?php\n\ndeclare(strict_types=1);\n\nnamespace A\\B;\n\n", "<?php\n// x\n"]),
    st.lists(
        st.sampled_from(["use App\\Users;\n", "use A\\{B, C as D};\n", "use function x\\y;\n"]), unique=True
    ),
    st.lists(st.sampled_from(CLASSES), max_size=4, unique=True),
)
tests = red_tests(BODIES, "src/Users.php")


@quick
@given(mutated(files), tests)
def test_every_old_byte_stays_and_repeating_changes_nothing(target, wanted):
    result = PHP.insert_or_skip(target, wanted)
    assert without_inserted(result) == target
    assert PHP.insert(result.content, *wanted).content == result.content
    assert PHP.error_count(result.content) <= PHP.error_count(target)


def test_what_php_accepted_it_still_accepts():
    need("php")
    pairs: list[tuple[str, str]] = []

    @quick
    @given(mutated(files), tests)
    def collect(target, wanted):
        assume("\r" not in target.replace("\r\n", ""))
        pairs.append((target, PHP.insert_or_skip(target, wanted).content))

    collect()
    assert _broken_by_insertion(pairs) == []


def _broken_by_insertion(pairs: list[tuple[str, str]]) -> list[str]:
    """Check all pairs with one PHP process."""
    script = """
        function ok($x) {
            try { @token_get_all($x, TOKEN_PARSE); return true; } catch (Error $e) { return false; }
        }
        $bad = [];
        foreach (json_decode(stream_get_contents(STDIN)) as [$before, $after])
            if (ok($before) && !ok($after)) $bad[] = $after;
        echo json_encode($bad);
    """
    finished = subprocess.run(
        ["php", "-r", script], input=json.dumps(pairs), capture_output=True, text=True, timeout=60, check=True
    )
    found: list[str] = json.loads(finished.stdout)
    return found


def test_name_of_the_request_is_in_the_file():
    assert f"// security: {NAME}" in inserted(TARGET)


def test_a_file_that_breaks_off_in_a_statement_is_rejected():
    """Its last word would absorb the inserted import, and a repeated request would not find the test."""
    with pytest.raises(TargetRejected, match="breaks off"):
        PHP.insert(
            "<?php\nuse", {"testName": "'", "testCode": "$this->assertTrue(false);", "attackVector": "'"}
        )
