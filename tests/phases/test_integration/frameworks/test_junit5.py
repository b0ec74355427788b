"""Insertion into JUnit 5 files: placement, rendered code, warnings."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks.shared import (
    HOSTILE,
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

JAVA = Into("junit5", "java", "assertEquals(1, 2);")
insert, inserted = JAVA.insert_one, JAVA.inserted


TARGET = dedent("""
    package app;

    import static org.junit.jupiter.api.Assertions.assertTrue;

    import org.junit.jupiter.api.Test;

    class UsersTest {
        private final Users users = new Users();

        @Test
        void findsAll() {
            assertTrue(users.all());
        }

        private String helper() {
            return "}";
        }
    }
    """)


class TestPlace:
    def test_method_goes_after_the_last_test(self):
        result = insert(TARGET)
        assert (
            dedent("""
                @Test
                void securityRejectsSqlInjection() throws Exception {
                    // security: rejects SQL injection
                    // attack vector: ' OR 1=1 --
                    assertEquals(1, 2);
                }
            """)
            .replace("\n", "\n    ")
            .rstrip(" ")
            in result.content
        )
        assert result.content.index("void security") < result.content.index("helper")
        assert (result.method, parent_of(result)) == ("ast", "UsersTest")

    @pytest.mark.parametrize(
        "unfit",
        [
            "abstract class OtherTest {\n    @Test void b() {}\n}\n",
            "@Disabled\nclass OtherTest {\n    @Test void b() {}\n}\n",
            '@EnabledIfSystemProperty(named = "x", matches = "y")\nclass OtherTest {\n'
            "    @Test void b() {}\n}\n",
            "interface OtherTest {\n    @Test default void b() {}\n}\n",
            "enum OtherTest { A; @Test void b() {} }\n",
            "record OtherTest(int a) { @Test void b() {} }\n",
            "class Wrap { static class OtherTest { @Test void b() {} } }\n",
            "class Wrap { @Nested private class OtherTest { @Test void b() {} } }\n",
            "@Disabled class Wrap { @Nested class OtherTest { @Test void b() {} } }\n",
            "class OtherTest { @Test void b() {} }\nclass SubTest extends OtherTest {}\n",
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_unsuitable_classes_are_not_chosen(self, unfit, is_first):
        fit = "class UsersTest {\n    @Test void a() {}\n}\n"
        target = "import org.junit.jupiter.api.*;\n\n" + (
            f"{unfit}\n{fit}" if is_first else f"{fit}\n{unfit}"
        )
        assert parent_of(insert(target, vulnerableCodePath="src/Other.java")) == "UsersTest"

    def test_class_is_chosen_by_what_it_is_about(self):
        nested = "    @Nested\n    class {} {{\n        @Test\n        void a() {{}}\n    }}\n"
        target = TARGET.replace(
            "    private String",
            "".join(map(nested.format, "AB")) + nested.format("Orders") + "\n    private String",
        )
        result = insert(target, vulnerableCodePath="src/Orders.java")
        assert parent_of(result) == "UsersTest.Orders"
        assert "        @Test\n        void security" in result.content

    def test_security_class_is_reused(self):
        nested = "    @Nested class Security { @Test void a() {} }\n\n"
        target = TARGET.replace("    private String", nested + "    private String")
        assert parent_of(insert(target)) == "UsersTest.Security"

    def test_file_of_which_all_is_disabled_gets_a_class_beside(self):
        result = insert(TARGET.replace("class UsersTest", "@Disabled\nclass UsersTest"))
        assert result.point is not None
        assert result.point.strategy == "new_class"
        assert "\n}\n\nclass UsersSecurityTest {\n" in result.content

    def test_one_line_class(self):
        target = "import org.junit.jupiter.api.Test; class ATest { @Test void a() {} }"
        result = insert(target)
        assert (result.method, parent_of(result)) == ("ast", "ATest")
        assert without_inserted(result) == target

    def test_empty_class(self):
        result = insert("class ATest {\n}\n")
        assert result.content.startswith(
            "import static org.junit.jupiter.api.Assertions.assertEquals;\nimport"
        )
        assert "class ATest {\n    @Test\n    void security" in result.content

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("", vulnerableCodePath="src/Users.java")
        assert result.method == "append"
        assert "import org.junit.jupiter.api.Test;\n\nclass UsersSecurityTest {\n" in result.content

    def test_text_block_in_the_last_test(self):
        target = TARGET.replace("users.all()", 'users.all("""\n   }\n } """)')
        assert insert(target).method == "ast"

    @pytest.mark.parametrize("origin", ["org.junit.Test", "org.junit.*", "org.testng.annotations.Test"])
    def test_other_frameworks_are_rejected(self, origin):
        with pytest.raises(TargetRejected, match="not JUnit 5"):
            insert(TARGET.replace("org.junit.jupiter.api.Test", origin))


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("old", "new"), [("    }\n", "    \n"), ("() {\n", "()\n")], ids=["closer", "opener"]
    )
    def test_a_method_without_brace_is_not_mistaken_for_another(self, old, new):
        with pytest.raises(TargetRejected):
            insert(TARGET.replace(old, new, 1))

    def test_statement_that_would_take_the_parser_all_memory_is_rejected(self):
        with pytest.raises(TargetRejected, match="too long"):
            insert(TARGET.replace("users.all()", "a" + "<b" * 600))
        with pytest.raises(InvalidTestCode, match="too complex"):
            insert(TARGET, "boolean a = a" + " < b" * 600 + ";")

    def test_takes_a_test_where_its_indentation_agrees(self):
        target = TARGET.replace("new Users();", "new Users(;")
        assert without_inserted(insert(target)) == target


class TestStyle:
    def test_public_and_named_test_as_the_others(self):
        result = inserted(TARGET.replace("void findsAll", "public void testFindsAll"))
        assert "    public void testSecurityRejectsSqlInjection() throws Exception {" in result

    def test_underscores_as_the_others(self):
        assert "void security_rejects_sql_injection()" in inserted(TARGET.replace("findsAll", "finds_all"))

    def test_two_spaces_and_tabs(self):
        for unit in ("  ", "\t"):
            result = inserted(TARGET.replace("    ", unit), "if (x) {\n    fail();\n}")
            assert f"{unit}@Test\n{unit}void security" in result
            assert f"\n{unit * 3}fail();" in result

    def test_text_blocks_are_not_moved(self):
        assert 'f("""\n  a\n   b\n  """);' in inserted(TARGET, 'f("""\n  a\n   b\n  """);')

    @pytest.mark.parametrize("data", HOSTILE)
    def test_data_never_becomes_code(self, data):
        result = insert(TARGET, name=f"x {data}", attack=data)
        method = result.content.partition("void security")[2].partition("private String")[0]
        assert len([line for line in method.split("\n") if line.strip().startswith("//")]) == 2
        assert result.content.isascii()


class TestCompleteTests:
    def test_method(self):
        result = inserted(TARGET, "@Test\nvoid attack() {\n    assertTrue(false);\n}")
        assert "    @Test\n    void attack() {\n        // security: rejects SQL injection\n" in result

    def test_method_without_annotation_gets_one(self):
        assert "    @Test\n    void attack() {" in inserted(TARGET, "void attack() { assertTrue(false); }")

    def test_used_names_get_others(self):
        result = inserted(TARGET, '@Test void findsAll() { helper(); }\nString helper() { return "helper"; }')
        assert "void findsAll2() {" in result
        assert "String helper2()" in result

    def test_class_of_methods_gives_them(self):
        result = insert(
            TARGET, "package x;\npublic class FooTest {\n    @Test\n    void a() { assertTrue(false); }\n}"
        )
        assert parent_of(result) == "UsersTest"
        assert "FooTest" not in result.content

    def test_helpers_that_share_a_number_stay_apart(self):
        code = "@Test void a() { helper(); }\nvoid helper() { helper2(); }\nvoid helper2() {}"
        result = inserted(TARGET, code)
        assert "void helper3() { helper2(); }" in result
        assert "void helper2() {}" in result

    def test_inner_classes_stay_where_they_are(self):
        code = "class FooTest {\n    int x;\n    @Test void a() {}\n    static class B {\n    }\n}"
        assert "\n    static class B {\n    }\n}" in inserted(TARGET, code)

    def test_class_with_state_stands_beside(self):
        code = (
            "import org.junit.jupiter.api.BeforeEach;\npublic class FooTest {\n    int x;\n"
            "    @BeforeEach void setUp() { x = 1; }\n    @Test void a() { assertTrue(x > 1); }\n}"
        )
        result = inserted(TARGET, code)
        assert "\n}\n\nclass FooTest {\n    int x;\n" in result
        assert "import org.junit.jupiter.api.Test;\nimport org.junit.jupiter.api.BeforeEach;\n" in result

    @pytest.mark.parametrize(
        "code",
        [
            "} void x() {",
            "int x = ;",
            "// \\u000a } void x() { int y;\nfail();",
            'f("\\u0022);',
            "// \\u00 is no escape\nfail();",
            "// nothing",
            "/* open",
            "void a() {}\nf();",
        ],
    )
    def test_code_that_affects_other_tests_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(TARGET, code)

    def test_code_of_very_many_methods_is_rejected(self):
        with pytest.raises(InvalidTestCode, match="more than"):
            insert(TARGET, "".join(f"@Test void t{number}() {{}}\n" for number in range(501)))

    @pytest.mark.parametrize("code", ["foo(1);\n" * 9000, "int a = b;\n" * 9000, "{" * 60_000 + "}" * 60_000])
    def test_code_that_is_too_complex_is_rejected(self, code):
        with pytest.raises(InvalidTestCode, match="too complex"):
            insert(TARGET, code)


class TestNames:
    def test_assertion_is_imported_as_the_file_does(self):
        result = inserted(TARGET)
        assert "import static org.junit.jupiter.api.Assertions.assertEquals;" in result

    def test_assertion_is_called_on_the_class_as_the_file_does(self):
        target = TARGET.replace("import static", "import").replace("Assertions.assertTrue;", "Assertions;")
        assert "        Assertions.assertEquals(1, 2);" in inserted(target)

    def test_star_import_binds_assertions(self):
        target = TARGET.replace("Assertions.assertTrue", "Assertions.*").replace("api.Test", "api.*")
        assert without_inserted(insert(target)) == target
        assert len(insert(target).inserted) == 1

    def test_assertions_of_another_library_stay(self):
        target = TARGET.replace("import org", "import org.assertj.core.api.Assertions;\nimport org", 1)
        result = inserted(target, "Assertions.assertEquals(1, 2);\nAssertions.assertThat(1);")
        assert "org.junit.jupiter.api.Assertions.assertEquals" in result

    def test_missing_test_import_is_added(self):
        assert "package a;\n\nimport static" in inserted("package a;\n\nclass ATest {\n}\n")

    def test_jdk_class_is_imported(self):
        assert "import java.util.List;\n" in inserted(TARGET, "List.of();")

    def test_import_that_would_change_the_files_own_names_is_written_out(self):
        assert "new other.Users()" in inserted(TARGET, "import other.Users;\nnew Users();")
        assert "new Users()" in inserted(TARGET, "import app.Users;\nnew Users();")

    @pytest.mark.parametrize("code", ["new ArrayList<>();", "List.of(new ArrayList<List<String>>());"])
    def test_name_that_the_file_has_imported_meanwhile_makes_no_second_copy(self, code):
        target = TARGET.replace("class UsersTest", "// No List, no ArrayList.\nclass UsersTest")
        once = inserted(target, code)
        assert "java.util.ArrayList" in once
        imports = "import java.util.ArrayList;\nimport java.util.List;\n"
        later = once.replace("import org", imports + "import org", 1)
        assert inserted(later, code) == later

    def test_class_of_the_same_package_is_not_reported(self):
        assert insert(TARGET, "assertEquals(1, new Orders().count());").warnings == ()

    def test_a_librarys_class_that_nothing_imports_is_reported(self):
        assert codes(insert(TARGET, "Mockito.verify(users);")) == ["unbound_name"]

    def test_package_name_is_not_a_variable(self):
        assert insert(TARGET, "org.junit.jupiter.api.Assertions.fail();").warnings == ()

    def test_names_that_nothing_binds_are_reported(self):
        result = insert(TARGET, "String a = users.find(x, b -> b);\nOrders.check(a);\nhelp(a);")
        assert sorted(n.message.split("`")[1] for n in result.warnings) == ["help()", "x"]

    def test_condition_before_each_is_reported(self):
        target = TARGET.replace(
            "    @Test", "    @BeforeEach void setUp() { assumeTrue(false); }\n\n    @Test"
        )
        assert codes(insert(target)) == ["module_may_be_skipped"]


CLASSES = [
    "class AUsersTest {\n    @Test\n    void a() {\n        int x = 1; // b\n    }\n}\n",
    'public class BTest extends Base {\n  /** Doc. } */\n  @Test public void b() { f("""\n }\n  """); }\n}\n',
    "abstract class CTest { @Test void c() {} }\n",
    "@TestInstance(PER_CLASS)\nclass DTest\n{\n    @Nested\n    class Deep\n    {\n"
    "        @Test void d() {}\n    }\n}\n",
    "record R(int a) {}\n",
    "class ETest { @ParameterizedTest @ValueSource(ints = {1}) void e(int i) {} /* end */ }\n",
    "/* comment } */\n",
    "@Disabled class FTest { @Test void f() {} }\n",
]
BODIES = [
    JAVA.body,
    'if (true) {\n    f("""\n  x\n""");\n}\nfail();',
    "import app.Users;\nassertNull(new Users(List.of()));",
    "@Test\nvoid a() { fail(); }\nprivate void helper() {}",
    "class XTest {\n  int x;\n  @BeforeEach void s() { x = 1; }\n  @Test void z() { fail(); }\n}",
    "Assertions.assertThrows(Exception.class, () -> { throw new Exception(); });",
]
files = st.builds(
    lambda head, imports, classes: head + "".join(imports) + "\n" + "\n".join(classes),
    st.sampled_from(["", "package app;\n\n", "// x\npackage app;\n"]),
    st.lists(
        st.sampled_from(
            ["import org.junit.jupiter.api.Test;\n", "import java.util.*;\n", "import static a.B.*;\n"]
        ),
        unique=True,
    ),
    st.lists(st.sampled_from(CLASSES), max_size=4, unique=True),
)
tests = red_tests(BODIES, "src/Users.java")


@quick
@given(mutated(files), tests)
def test_every_old_byte_stays_and_repeating_changes_nothing(target, wanted):
    result = JAVA.insert_or_skip(target, wanted)
    assert without_inserted(result) == target
    assert JAVA.insert(result.content, *wanted).content == result.content
    assert JAVA.error_count(result.content) <= JAVA.error_count(target)


CHECKER = """
import com.sun.source.util.JavacTask;
import java.net.URI;
import java.nio.file.*;
import java.util.*;
import javax.tools.*;

public class Check {
    static boolean parses(JavaCompiler compiler, String text) throws Exception {
        var found = new DiagnosticCollector<JavaFileObject>();
        var file = new SimpleJavaFileObject(URI.create("string:///A.java"), JavaFileObject.Kind.SOURCE) {
            public CharSequence getCharContent(boolean ignore) { return text; }
        };
        ((JavacTask) compiler.getTask(null, null, found, List.of("-proc:none"), null, List.of(file))).parse();
        return found.getDiagnostics().stream().noneMatch(each -> each.getKind() == Diagnostic.Kind.ERROR);
    }

    public static void main(String[] arguments) throws Exception {
        var compiler = ToolProvider.getSystemJavaCompiler();
        for (int number = 0; number < Integer.parseInt(arguments[0]); number++) {
            String before = Files.readString(Path.of(number + ".before"));
            String after = Files.readString(Path.of(number + ".after"));
            if (parses(compiler, before) && !parses(compiler, after)) System.out.println(after);
        }
    }
}
"""


def test_what_javac_accepted_it_still_accepts(tmp_path: Path):
    need("java", "javac")
    pairs: list[tuple[str, str]] = []

    @quick
    @given(mutated(files), tests)
    def collect(target, wanted):
        pairs.append((target, JAVA.insert_or_skip(target, wanted).content))

    collect()
    (tmp_path / "Check.java").write_text(CHECKER)
    for number, (before, after) in enumerate(pairs):
        (tmp_path / f"{number}.before").write_bytes(before.encode())
        (tmp_path / f"{number}.after").write_bytes(after.encode())
    command = ["java", "-Dfile.encoding=UTF-8", "Check.java", str(len(pairs))]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == ""
