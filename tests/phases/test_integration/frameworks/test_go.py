"""Insertion into Go files: placement, rendered code, warnings."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks.shared import Into, codes, dedent, without_inserted
from tests.phases.test_integration.runners.needs import need

GO = Into("go", "go", "t.Fatal(1)")
insert = GO.insert_one


def inserted(target: str, code: str | None = None, **others: str) -> str:
    content = insert(target, code, **others).content
    assert insert(content, code, **others).content == content
    return content


def gofmt(tmp_path: Path, texts: list[str]) -> list[str]:
    """Return the names of the files that gofmt would change; fails for invalid Go."""
    need("gofmt")
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.go").write_text(text, newline="")
    done = subprocess.run(["gofmt", "-l", "-e", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


HEAD = 'package shop\n\nimport "testing"\n\n'
TEST = "func TestA(t *testing.T) {\n\tt.Log(1)\n}\n"
BLOCK = 'package shop\n\nimport (\n\t"os"\n\t"testing"\n\n\t"github.com/stretchr/testify/require"\n)\n\n'
SUITE = (
    'package shop\n\nimport (\n\t"testing"\n\n\t"github.com/stretchr/testify/suite"\n)\n\n'
    "type ShopSuite struct {\n\tsuite.Suite\n}\n\nfunc (s *ShopSuite) TestA() {\n\ts.Equal(1, 1)\n}\n\n"
    "func (s *ShopSuite) helper() {}\n\nfunc TestShop(t *testing.T) {\n\tsuite.Run(t, new(ShopSuite))\n}\n"
)


class TestPlace:
    def test_function_goes_after_the_last_test(self):
        result = insert(HEAD + TEST + "\nfunc helper() {}\n")
        assert result.content == HEAD + TEST + dedent("""

            func TestSecurityRejectsSqlInjection(t *testing.T) {
            \t// security: rejects SQL injection
            \t// attack vector: ' OR 1=1 --
            \tt.Fatal(1)
            }

            func helper() {}
            """).join(("\n", ""))
        assert result.point is not None
        assert (result.method, result.point.strategy, result.point.line) == ("ast", "after_last_test", 9)

    def test_empty_file_becomes_a_complete_one_of_the_directorys_package(self):
        result = insert("", vulnerableCodePath="internal/db-store/users.go")
        assert result.content.startswith('package dbstore\n\nimport "testing"\n\nfunc TestSecurity')
        assert codes(result) == ["package_assumed"]

    @pytest.mark.parametrize("target", ["package shop", "package shop\n", "package shop\r\n\r\n"])
    def test_file_without_tests_gets_import_and_test(self, target):
        content = inserted(target)
        assert content.startswith(target)
        assert content.index('import "testing"') < content.index("func TestSecurity")

    @pytest.mark.parametrize(
        ("old", "new"), [("t.Log(1)\n}", "t.Log(1)\n"), ("T) {", "T) ")], ids=["closer", "opener"]
    )
    def test_a_function_without_brace_is_not_mistaken_for_another(self, old, new):
        with pytest.raises(TargetRejected):
            insert(HEAD + TEST + "\n" + TEST.replace("TestA", "TestB").replace(old, new))

    def test_body_that_reads_the_suites_receiver_becomes_its_method(self):
        result = insert(SUITE, "s.Equal(1, 2)")
        assert ") helper() {}" in result.content.partition("func (s *ShopSuite) TestSecurity")[2]
        assert result.point is not None
        assert (result.point.strategy, result.point.parent) == ("after_last_method", "ShopSuite")

    def test_group_of_security_tests_is_used_again(self):
        group = (
            'func TestSecurity(t *testing.T) {\n\tt.Run("a", func(t *testing.T) {\n\t\tt.Log(1)\n\t})\n}\n'
        )
        result = insert(HEAD + group + "\n" + TEST, "t.Fatal(`a\n b`)")
        assert result.point is not None
        assert (result.point.strategy, result.point.parent) == ("inside_group", "TestSecurity")
        assert '\tt.Run("rejects SQL injection", func(t *testing.T) {\n' in result.content
        assert "\t\tt.Fatal(`a\n b`)\n\t})\n}\n" in result.content
        assert inserted(HEAD + group) == insert(HEAD + group).content

    @pytest.mark.parametrize(
        "group",
        [
            'func TestSecurity(t *testing.T) {\n\tt.Skip()\n\tt.Run("a", func(t *testing.T) {})\n}\n',
            'func TestSecurity(t *testing.T) { t.Run("a", func(t *testing.T) {}) }\n',
            'func TestSecurity(t *testing.T) {\n\tfor range x {\n\t\tt.Run("a", f)\n\t}\n}\n',
            'func TestSecurity(t *testing.T) {\n\tif x {\n\t\tt.Run("a", f)\n\t}\n}\n',
        ],
    )
    def test_group_that_may_not_run_is_left_alone(self, group):
        assert "\nfunc TestSecurityRejects" in inserted(HEAD + group)


class TestWriting:
    def test_complete_function_keeps_its_name_and_helpers(self):
        code = 'func query() string { return "x" }\n\nfunc TestB(t *testing.T) {\n\tt.Fatal(query())\n}\n'
        content = inserted(HEAD + TEST, code)
        assert 'func query() string { return "x" }\n\nfunc TestB(t *testing.T) {\n\t// security' in content

    def test_complete_functions_may_bring_a_type_with_methods(self):
        code = (
            "type fake struct{ n int }\n\nfunc (f fake) get() int { return f.n }\n\n"
            "func TestB(t *testing.T) {\n\tt.Fatal(fake{n: 1}.get())\n}"
        )
        assert "func (f fake) get() int { return f.n }\n" in inserted(HEAD + TEST, code)

    def test_used_names_get_a_number(self):
        content = inserted(HEAD + TEST, "func TestA(t *testing.T) { t.Fatal(1) }")
        assert "func TestA_2(t *testing.T) {\n\t// security: rejects SQL injection\n" in content

    def test_names_include_the_vulnerable_file(self):
        file = "shop/user_store.go:12"
        content = inserted(HEAD + TEST, vulnerableCodePath=file)
        assert "func TestSecurityUserStoreRejectsSqlInjection(t *testing.T) {" in content
        code = "func open() int { return 1 }\n\nfunc TestSQL(t *testing.T) {\n\tt.Fatal(open())\n}"
        content = inserted(HEAD + TEST, code, vulnerableCodePath=file)
        assert "func openUserStore() int {" in content
        assert "func TestSQLUserStore(t *testing.T) {" in content
        assert "t.Fatal(openUserStore())" in content
        assert "func TestSQL(" in inserted(HEAD + TEST, code, vulnerableCodePath="shop/sql.go")

    def test_function_of_another_name_becomes_a_test(self):
        assert "func TestSecurityCheckQuery(t " in inserted(HEAD + TEST, "func checkQuery(t *testing.T) {\n}")

    def test_parameter_is_called_as_in_the_file(self):
        target = HEAD + "func TestA(tt *testing.T) {\n\ttt.Log(1)\n}\n"
        assert "(tt *testing.T) {" in inserted(target, "tt.Fatal(1)").partition("Security")[2]
        assert "(t *testing.T) {" in inserted(target, "t.Fatal(1)").partition("Security")[2]

    def test_imports_are_sorted_into_their_groups(self):
        content = inserted(BLOCK + TEST, "assert.Equal(t, strings.ToUpper(`a`), fmt.Sprint(1))")
        assert (
            '"fmt"\n\t"os"\n\t"strings"\n\t"testing"\n\n\t"github.com/stretchr/testify/assert"\n' in content
        )

    def test_alias_of_the_file_is_used(self):
        target = 'package shop\n\nimport (\n\tstr "strings"\n\t"testing"\n)\n\nvar _ = str.ToUpper\n\n' + TEST
        code = 'import "strings"\n\nif strings.ToUpper("a") == "A" {\n\tt.Fatal(1)\n}'
        content = inserted(target, code)
        assert 'str.ToUpper("a")' in content
        assert content.count('"strings"') == 1

    def test_package_of_a_name_that_is_used_gets_another(self):
        target = (
            'package shop\n\nimport (\n\t"testing"\n\n\t"example.com/strings"\n)\n\nvar _ = strings.X\n\n'
        )
        content = inserted(target + TEST, 'import "strings"\n\nt.Fatal(strings.ToUpper("a"))')
        assert 'strings_2 "strings"' in content
        assert 'strings_2.ToUpper("a")' in content

    def test_import_beside_a_dot_import_of_the_same_is_sorted_as_gofmt_does(self):
        target = 'package shop\n\nimport (\n\t. "fmt"\n\t"testing"\n)\n\nvar _ = Sprint\n\n' + TEST
        assert '\t"fmt"\n\t. "fmt"\n\t"testing"\n' in inserted(target, "t.Fatal(fmt.Sprint(1))")

    def test_package_never_imports_itself(self):
        result = insert(HEAD.replace("shop", "strings") + TEST, "t.Fatal(strings.X)")
        assert '"strings"' not in result.content
        assert codes(result) == ["unbound_name"]

    def test_tests_of_testing_itself_are_seen(self):
        assert insert("package testing\n\nfunc TestA(t *T) {\n}\n").method == "ast"
        assert "(t *T) {" in inserted("package testing\n\nfunc TestA(t *T) {\n}\n").partition("Security")[2]

    def test_unused_import_is_left_out(self):
        assert '"os"' not in inserted(HEAD + TEST, 'import "os"\n\nt.Fatal(1)')

    def test_levels_become_tabs_but_raw_strings_stay(self):
        content = inserted(HEAD + TEST, "    if true {\n      t.Fatal(`\n    raw`)\n    }")
        assert "\n\tif true {\n\t\tt.Fatal(`\n    raw`)\n\t}\n}" in content

    def test_names_never_become_code(self):
        hostile = 'a"`*/\n}\0 ${x} #{y}\r\nfunc init() { panic(1) }\u2028'
        group = 'func TestSecurity(t *testing.T) {\n\tt.Run("a", func(t *testing.T) {})\n\tt.Log()\n}\n'
        for target in (HEAD + TEST, HEAD + group):
            red_test = {"testName": hostile, "testCode": "t.Fatal(1)", "attackVector": hostile}
            content = GO.insert(target, red_test).content
            assert not GO.error_count(content)
            assert "\nfunc init" not in content

    @pytest.mark.parametrize(
        "code",
        [
            "}\nfunc init() {",
            "func TestMain(m *testing.M) {}\n\nfunc TestX(t *testing.T) {}",
            "func init() {}\n\nfunc TestX(t *testing.T) {}",
            "x := 1",
            "var x = 1\nx = 2",
            "// nothing",
            "func helper() {}",
            'import . "strings"\n\nt.Fatal(ToUpper("a"))',
            "this is no Go",
        ],
    )
    def test_code_that_would_stop_the_package_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(HEAD + TEST, code)

    def test_crlf_bom_and_the_missing_last_newline_stay(self):
        target = ("\ufeff" + HEAD + TEST).rstrip().replace("\n", "\r\n")
        content = inserted(target)
        assert content.startswith(target + "\r\n\r\nfunc TestSecurity")
        assert "\n" not in content.replace("\r\n", "")

    def test_helpers_that_share_a_number_stay_apart(self):
        code = "func a() int { return a_2() }\nfunc a_2() int { return 1 }\nfunc TestX(t *testing.T) { a() }"
        content = inserted(HEAD + "func a() {}\n\n" + TEST, code)
        assert "func a_2() int { return a_2_2() }" in content
        assert "func a_2_2() int" in content

    def test_gofmt_would_change_nothing(self, tmp_path):
        code = "    got := strings.Repeat(`x`, 2)\n    switch {\n    case got != fmt.Sprint(1):\n"
        code += "        t.Fatal(got)\n    }"
        whole = "func TestB(t *testing.T) { t.Fatal(1) }"
        targets = [HEAD + TEST, BLOCK + TEST, SUITE, "package shop\n", HEAD + TEST + "\nfunc helper() {}\n"]
        results = [inserted(target, each) for target in targets for each in (code, whole)]
        assert gofmt(tmp_path, results) == []


class TestWarnings:
    @pytest.mark.parametrize(
        ("target", "code"),
        [
            ("//go:build ignore\n\n" + HEAD + TEST, "module_skipped"),
            ("//go:build integration\n\n" + HEAD + TEST, "module_may_be_skipped"),
            ("// +build linux\n\n" + HEAD + TEST, "module_may_be_skipped"),
            (HEAD + "func TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n\n" + TEST, "module_may_be_skipped"),
        ],
    )
    def test_what_keeps_the_file_from_running(self, target, code):
        assert code in codes(insert(target))

    def test_unbound_package(self):
        assert codes(insert(HEAD + TEST, "t.Fatal(shopdb.Open())")) == ["unbound_name"]

    def test_names_of_the_package_may_stand_in_other_files(self):
        assert codes(insert(HEAD + TEST, "t.Fatal(Find(`x`))")) == []
        assert codes(insert(HEAD.replace("shop", "shop_test") + TEST, "t.Fatal(Find(`x`))")) == [
            "unbound_name"
        ]


PIECES = [
    TEST,
    "func TestB(tt *testing.T) { tt.Log(1) }\n",
    "// about c\nfunc TestC(t *testing.T) {\n\tfor _, c := range []struct{ a int }{{1}} {\n"
    "\t\tt.Run(`x`, func(t *testing.T) {\n\t\t\tt.Log(c.a)\n\t\t})\n\t}\n} // end\n",
    "var x = `\nfunc TestRaw(t *testing.T) {\n`\n",
    "/*\nfunc TestComment(t *testing.T) {}\n*/\n",
    "type S struct{ suite.Suite }\n\nfunc (s *S) TestD() { s.Equal(1, 1) }\n",
    'func TestSecurity(t *testing.T) {\n\tt.Run("a", func(t *testing.T) {\n\t})\n}\n',
    "func helper[T any](v T) T { return v }\n",
    "func BenchmarkA(b *testing.B) {}\n",
]
HEADS = [
    "",
    "package p\n",
    HEAD,
    BLOCK,
    '//go:build linux\n\npackage p\n\nimport "testing"; import f "fmt"\n',
]
CODES = [
    "t.Fatal(1)",
    "s.Equal(1, 2)",
    'if x := fmt.Sprint(`a\n b`); x != "" {\n  t.Fatal(x)\n}',
    'func TestA(t *testing.T) {\n\tt.Fatal(strings.ToUpper("a"))\n}\n',
    'package p\n\nimport "os"\n\nfunc help() string { return os.Args[0] }\n\n'
    "func TestX(t *testing.T) { t.Fatal(help()) }",
]
MUTATIONS = {
    "none": lambda text, at: text,
    "CRLF": lambda text, at: text.replace("\n", "\r\n"),
    "mixed": lambda text, at: text[:at] + text[at:].replace("\n", "\r\n"),
    "BOM": lambda text, at: "\ufeff" + text,
    "spaces": lambda text, at: text.replace("\t", "    "),
    "no last newline": lambda text, at: text.rstrip("\n"),
    "a character less": lambda text, at: text[:at] + text[at + 1 :],
    "cut off": lambda text, at: text[:at],
    "an opener more": lambda text, at: text[:at] + "{" + text[at:],
    "a quote more": lambda text, at: text[:at] + "`" + text[at:],
}
targets = st.builds(
    lambda head, pieces, mutation, at: MUTATIONS[mutation](head + "\n".join(pieces), at % 300),
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.sampled_from(sorted(MUTATIONS)),
    st.integers(0, 2000),
)
red_tests = st.lists(
    st.builds(
        lambda name, code, attack: {"testName": name, "testCode": code, "attackVector": attack},
        st.text(min_size=1, max_size=12).filter(str.strip),
        st.sampled_from(CODES),
        st.text(min_size=1, max_size=12).filter(str.strip),
    ),
    min_size=1,
    max_size=3,
)
thorough = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class TestProperties:
    @thorough
    @given(targets, red_tests)
    def test_old_bytes_stay_errors_do_not_grow_and_repeating_changes_nothing(self, target, tests):
        result = GO.insert_or_skip(target, tests)
        assert without_inserted(result) == target
        assert GO.error_count(result.content) <= GO.error_count(target)
        assert GO.insert(result.content, *tests).content == result.content

    def test_gofmt_accepts_what_it_accepted(self, tmp_path):
        results = []

        @settings(max_examples=60, deadline=None, database=None)
        @given(
            st.sampled_from(HEADS[1:]), st.lists(st.sampled_from(PIECES), max_size=4, unique=True), red_tests
        )
        def collect(head, pieces, tests):
            results.append(GO.insert(head + "\n".join(pieces), *tests).content)

        collect()
        gofmt(tmp_path, results)

    @pytest.mark.parametrize(
        "text", ["(" * 10_000, "func " * 10_000, "x" * 1_000_000, "{" * 10_000, "`", "/*"]
    )
    def test_hostile_files_are_answered_in_time(self, text):
        started = time.thread_time()
        with contextlib.suppress(TargetRejected):
            insert(HEAD + text)
        assert time.thread_time() - started < 4

    @pytest.mark.parametrize(
        "code",
        [
            "f(" * 60_000 + "1" + ")" * 60_000,
            "//\n" * 60_000,
            "import" + " " * 190_000 + "x",
            "x++\n" * 40_000,
            "(" * 199_000,
        ],
    )
    def test_hostile_code_is_rejected_in_time(self, code):
        started = time.thread_time()
        with pytest.raises(InvalidTestCode):
            insert(HEAD + TEST, code)
        assert time.thread_time() - started < 4

    def test_comments_before_a_bodys_imports(self):
        content = inserted(
            HEAD + TEST, '// why\n// so\nimport "strings"\n\n// then\nt.Fatal(strings.Title("a"))'
        )
        assert 'import "strings"' in content
        assert "\t// then\n\tt.Fatal(" in content

    def test_a_long_file_is_quick(self):
        target = HEAD + "".join(TEST.replace("A", str(number)) + "\n" for number in range(2500))
        started = time.thread_time()
        insert(target)
        assert time.thread_time() - started < 1
