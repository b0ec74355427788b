"""Insertion into ExUnit files: placement, rendered code, warnings."""

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

ELIXIR = Into("exunit", "elixir", "assert 1 == 2")
insert, inserted = ELIXIR.insert_one, ELIXIR.inserted


TARGET = dedent("""
    defmodule App.UsersTest do
      use ExUnit.Case, async: true
      alias App.Users
      doctest App.Users

      setup do
        {:ok, user: %{name: "x"}}
      end

      test "finds all", %{conn: conn} do
        assert Users.all(conn)
      end

      defp helper, do: "end"
    end
    """)
DESCRIBES = dedent("""
    defmodule App.UsersTest do
      use ExUnit.Case

      describe "all/1" do
        setup do
          [user: 1]
        end

        test "works", %{user: user} do
          assert user
        end
      end

      describe "find/1" do
        @tag :skip
        test "works" do
          assert true
        end
      end

      defp helper, do: 1
    end
    """)


class TestPlace:
    def test_goes_after_the_last_test(self):
        result = insert(TARGET)
        assert (
            dedent("""
                test "security: rejects SQL injection" do
                  # security: rejects SQL injection
                  # attack vector: ' OR 1=1 --
                  assert 1 == 2
                end
            """)
            .replace("\n", "\n  ")
            .rstrip(" ")
            in result.content
        )
        assert result.content.index("security:") < result.content.index("defp helper")
        assert (result.method, parent_of(result)) == ("ast", "App.UsersTest")

    def test_module_of_describes_gets_one_for_security(self):
        result = insert(DESCRIBES)
        assert parent_of(result) == "App.UsersTest: security"
        assert '  end\n\n  describe "security" do\n    test "security: rejects' in result.content
        assert result.content.index('describe "security"') < result.content.index("defp helper")

    def test_describe_for_security_is_reused(self):
        first = insert(DESCRIBES).content
        second = inserted(first, "assert 3 == 4", name="other")
        assert second.count("describe") == 3

    def test_describe_whose_context_the_test_needs_takes_it(self):
        result = insert(DESCRIBES, "assert user == 2")
        assert parent_of(result) == "App.UsersTest: all/1"
        assert 'injection", %{user: user} do' in result.content

    @pytest.mark.parametrize(
        "unfit",
        [
            'defmodule OtherTest do\n  use ExUnit.Case\n  @moduletag :skip\n\n  test "b" do\n  end\nend\n',
            'defmodule OtherTest do\n  use ExUnit.Case\n  @moduletag skip: "x"\n  test "b", do: :ok\nend\n',
            "defmodule Other do\n  def test(x), do: x\nend\n",
            "defmodule OtherCase do\n  use ExUnit.CaseTemplate\n\n  using do\n    :ok\n  end\nend\n",
            'if true do\n  defmodule OtherTest do\n    use ExUnit.Case\n    test "b", do: :ok\n  end\nend\n',
        ],
        ids=["skipped", "skipped with a reason", "no case", "template", "conditional"],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_unsuitable_modules_are_not_chosen(self, unfit, is_first):
        target = f"{unfit}\n" * is_first + TARGET + f"\n{unfit}" * (not is_first)
        assert parent_of(insert(target, vulnerableCodePath="lib/other.ex")) == "App.UsersTest"

    def test_module_that_says_it_is_not_skipped_takes_it(self):
        target = TARGET.replace("  alias App.Users\n", "  @moduletag skip: false\n  alias App.Users\n", 1)
        assert target != TARGET
        assert (insert(target).method, parent_of(insert(target))) == ("ast", "App.UsersTest")

    def test_module_is_chosen_by_what_it_is_about(self):
        target = TARGET + "\n" + TARGET.replace("Users", "Orders")
        assert parent_of(insert(target, vulnerableCodePath="lib/app/orders.ex")) == "App.OrdersTest"
        assert parent_of(insert(target, vulnerableCodePath="lib/app/users.ex")) == "App.UsersTest"

    def test_stands_after_the_loop_that_makes_the_tests(self):
        loop = '  for x <- [1] do\n    test "t #{x}" do\n      assert unquote(x)\n    end\n  end\n'
        target = f"defmodule ATest do\n  use ExUnit.Case\n\n{loop}\n  defp a, do: 1\nend\n"
        result = insert(target)
        assert (result.method, parent_of(result)) == ("ast", "ATest")
        assert result.content.index(loop) < result.content.index("security:") < result.content.index("defp a")

    def test_loops_and_conditions_are_not_chosen(self):
        loop = '  for x <- [1, 2] do\n    test "t #{x}" do\n      assert unquote(x)\n    end\n  end\n\n  defp'
        result = inserted(TARGET.replace("  defp", loop, 1))
        assert result.index("security:") < result.index("for x <-")

    def test_skipped_describe_is_not_chosen(self):
        target = DESCRIBES.replace("    setup do", "    @describetag :skip\n    setup do")
        assert parent_of(insert(target, "assert user == 2")) == "App.UsersTest: security"

    def test_file_of_which_all_is_skipped_gets_a_module_beside(self):
        result = insert(TARGET.replace("  alias", "  @moduletag :skip\n  alias"))
        assert result.point is not None
        assert result.point.strategy == "new_module"
        assert (
            "\nend\n\ndefmodule App.UsersSecurityTest do\n  use ExUnit.Case, async: true\n" in result.content
        )

    def test_empty_module(self):
        result = inserted("defmodule ATest do\n  use ExUnit.Case\n  @x 1\nend\n")
        assert '  @x 1\n\n  test "security' in result

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("", vulnerableCodePath="lib/users.ex")
        assert result.method == "append"
        assert result.content.startswith("defmodule UsersSecurityTest do\n  use ExUnit.Case\n\n  test ")

    def test_heredoc_in_the_last_test_and_comment_after_it(self):
        target = TARGET.replace("Users.all(conn)\n  end", '"""\n  end\n  """\n  end # done')
        assert "  end # done\n\n  test" in inserted(target)

    def test_test_on_one_line(self):
        assert insert('defmodule ATest do\n  use ExUnit.Case\n  test "a", do: :ok\nend').method == "ast"


class TestBrokenFiles:
    def test_a_test_without_its_end_is_not_mistaken_for_another(self):
        with pytest.raises(TargetRejected):
            insert(TARGET.replace("  end\n\n  defp", "\n  defp", 1))

    def test_takes_a_test_where_its_indentation_agrees(self):
        target = TARGET.replace('"x"}', '"x"')
        assert without_inserted(insert(target)) == target


class TestStyle:
    def test_context_is_taken_as_by_the_others(self):
        assert ", %{user: user, conn: conn} do" in inserted(TARGET, "assert Users.find(user, conn) == 1")

    def test_context_as_a_whole(self):
        target = TARGET.replace("%{conn: conn}", "context").replace("all(conn)", "all(context.conn)")
        assert 'injection", context do' in inserted(target, "assert context.conn == 1")

    def test_names_that_the_test_binds_are_not_context(self):
        assert 'injection" do' in inserted(TARGET, "conn = 1\n{:ok, user} = Users.find(conn)\nassert user")

    def test_heredocs_are_not_moved(self):
        assert 'x = """\n a\n   b\n"""\n' in inserted(TARGET, 'x = """\n a\n   b\n"""\nassert x == 1')

    @pytest.mark.parametrize("data", HOSTILE)
    def test_data_never_becomes_code(self, data):
        result = inserted(TARGET, name=f"x {data}", attack=data)
        name = result.partition('test "security: ')[2].partition("\n")[0]
        assert name.endswith('" do')
        assert "#{" not in name.replace("\\#{", "")
        assert len([line for line in result.split("\n") if line.startswith("    # ")]) == 2

    def test_long_names_are_cut(self):
        assert len(inserted(TARGET, name="x" * 9000).partition('test "security')[2].partition("\n")[0]) < 200


class TestCompleteTests:
    def test_keeps_its_name(self):
        result = inserted(TARGET, 'test "attack" do\n  assert false\nend')
        assert '  test "attack" do\n    # security: rejects SQL injection\n' in result

    def test_of_a_used_name_gets_another(self):
        assert 'test "finds all 2", do: assert false' in inserted(
            TARGET, 'test "finds all", do: assert false'
        )

    def test_aliases_stay_within(self):
        result = inserted(TARGET, 'alias Other.Users\n\ntest "attack" do\n  assert Users\nend')
        assert "      alias Other.Users\n" not in result.partition('test "attack"')[0]
        assert "    alias Other.Users\n    assert Users" in result

    def test_describe_goes_into_the_module(self):
        code = (
            'describe "all/1" do\n  setup do\n    :ok\n  end\n\n  test "a" do\n    assert false\n  end\nend'
        )
        result = insert(DESCRIBES, code)
        assert parent_of(result) == "App.UsersTest"
        assert 'describe "all/1 2" do' in result.content

    def test_module_stands_beside(self):
        code = 'defmodule App.UsersTest do\n  use ExUnit.Case\n\n  test "a" do\n    assert false\n  end\nend'
        assert "\nend\n\ndefmodule App.UsersTest2 do\n  use ExUnit.Case\n" in inserted(TARGET, code)

    @pytest.mark.parametrize(
        "code",
        [
            'assert true\nend\ntest "x" do',
            "assert (",
            "# nothing",
            'setup do\n  :ok\nend\n\ntest "a" do\n  :ok\nend',
            '@moduletag :skip\ntest "a" do\n  :ok\nend',
            'defp helper, do: 2\ntest "a" do\n  helper()\nend',
            "defmodule A do\n  def x, do: 1\nend",
            '"""\nopen',
        ],
    )
    def test_code_that_affects_other_tests_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(TARGET, code)

    @pytest.mark.parametrize(
        "code", ["foo(1)\n" * 9000, 'test "t" do\nassert 1\nend\n' * 5000, "(" * 60_000 + "1" + ")" * 60_000]
    )
    def test_code_that_is_too_complex_is_rejected(self, code):
        with pytest.raises(InvalidTestCode, match="too complex"):
            insert(TARGET, code)

    def test_tests_of_one_name_get_numbers(self):
        result = inserted(TARGET, 'test "t" do\nend\n' * 3)
        assert [result.count(f'test "{name}" do') for name in ("t", "t 2", "t 3")] == [1, 1, 1]


class TestWarnings:
    def test_names_that_nothing_binds_are_reported(self):
        result = insert(TARGET, "assert Users.find(x, helper, fn y -> y end)")
        assert [warning.message.split("`")[1] for warning in result.warnings] == ["x"]

    def test_tagged_module_may_be_left_out(self):
        target = TARGET.replace("  alias", "  @moduletag :integration\n  @moduletag :capture_log\n  alias")
        assert codes(insert(target)) == ["module_may_be_skipped"]


MODULES = [
    'defmodule A.UsersTest do\n  use ExUnit.Case\n\n  test "a" do\n    assert 1 # b\n  end\nend\n',
    'defmodule BTest do\n  use App.ConnCase, async: true\n  @tag :x\n  test "b", %{conn: c} do\n'
    '    assert ~s(end) == """\n  end\n    """\n  end\nend\n',
    'defmodule CTest do\n  use ExUnit.Case\n  describe "c" do\n    test "c", do: :ok\n  end\nend\n',
    "defmodule D do\n  def end?(x), do: x\nend\n",
    "# comment end\n",
    'defmodule ETest do\n  use ExUnit.Case\n  @moduletag :skip\n  test "e" do\n  end\nend\n',
    "defmodule FTest do\n  use ExUnit.Case\n  for x <- 1..2 do\n"
    '    test "#{x}" do\n      :ok\n    end\n  end\nend\n',
]
BODIES = [
    ELIXIR.body,
    'if true do\n  x = """\n  a\n  """\n  assert x == 1\nend',
    'alias A.B\ntest "a" do\n  assert B\nend',
    'describe "c" do\n  test "a", do: assert false\nend',
    'defmodule XTest do\n  use ExUnit.Case\n  test "x" do\n    assert false\n  end\nend',
    'assert get(conn, "/") == 1',
]
files = st.builds("\n".join, st.lists(st.sampled_from(MODULES), max_size=4, unique=True))
tests = red_tests(BODIES, "lib/users.ex")


@quick
@given(mutated(files), tests)
def test_every_old_byte_stays_and_repeating_changes_nothing(target, wanted):
    result = ELIXIR.insert_or_skip(target, wanted)
    assert without_inserted(result) == target
    assert ELIXIR.insert(result.content, *wanted).content == result.content
    assert ELIXIR.error_count(result.content) <= ELIXIR.error_count(target)


CHECKER = """
parses = fn name -> match?({:ok, _}, Code.string_to_quoted(File.read!(name))) end

for number <- 0..(String.to_integer(hd(System.argv())) - 1) do
  broken = parses.("#{number}.before") and not parses.("#{number}.after")
  if broken, do: IO.puts(File.read!("#{number}.after"))
end
"""


def test_what_elixir_accepted_it_still_accepts(tmp_path: Path):
    need("elixir")
    pairs: list[tuple[str, str]] = []

    @quick
    @given(mutated(files), tests)
    def collect(target, wanted):
        pairs.append((target, ELIXIR.insert_or_skip(target, wanted).content))

    collect()
    (tmp_path / "check.exs").write_text(CHECKER)
    for number, (before, after) in enumerate(pairs):
        (tmp_path / f"{number}.before").write_bytes(before.encode())
        (tmp_path / f"{number}.after").write_bytes(after.encode())
    command = ["elixir", "check.exs", str(len(pairs))]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == ""
