"""Real ExUnit runs: old tests pass, the new one fails by assertion until the code is fixed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.phases.test_integration.frameworks.shared import Into, red
from tests.phases.test_integration.runners.needs import need

pytestmark = pytest.mark.slow

VULNERABLE = "defmodule Shop.Users do\n  def find(name), do: \"WHERE name = '#{name}'\"\nend\n"
FIXED = VULNERABLE.replace("\"WHERE name = '#{name}'\"", 'if name, do: "WHERE name = ?"')
FILES = {
    "plain_test.exs": (
        "defmodule PlainTest do\n  use ExUnit.Case\n  alias Shop.Users\n\n  setup do\n"
        '    {:ok, attack: "OR 1=1"}\n'
        '  end\n\n  test "old" do\n    assert Users.find("x")\n  end\nend\n'
    ),
    "describe_test.exs": (
        'defmodule DescribeTest do\r\n  use ExUnit.Case\r\n\r\n  describe "find/1" do\r\n'
        '    test "old", %{test: name} do\r\n      assert name\r\n    end\r\n  end\r\nend'
    ),
    "whole_test.exs": 'defmodule WholeTest do\n  use ExUnit.Case\n  test("old", do: assert(true))\nend\n',
    "skipped_test.exs": (
        "defmodule SkippedTest do\n  use ExUnit.Case\n  @moduletag :skip\n\n"
        '  test "never" do\n    assert false\n  end\nend\n'
    ),
}
CODES = {
    "plain_test.exs": 'query = Users.find(attack)\nrefute query =~ "OR 1=1", """\nof two\n lines\n"""',
    "describe_test.exs": 'refute Shop.Users.find("OR 1=1") =~ "OR"',
    "whole_test.exs": (
        'alias Shop.Users\n\ndescribe "attack" do\n  test "fails" do\n'
        '    refute Users.find("OR") =~ "OR"\n  end\nend'
    ),
    "skipped_test.exs": 'refute Shop.Users.find("OR 1=1") =~ "OR"',
}


def run(directory: Path, users: str) -> str:
    (directory / "users.ex").write_text(users)
    (directory / "test_helper.exs").write_text('Code.require_file("users.ex")\nExUnit.start()\n')
    files = [part for name in sorted(FILES) for part in ("-r", name)]
    command = ["elixir", "-r", "test_helper.exs", *files, "-e", "nil"]
    finished = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    return finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("elixir")
    directory = tmp_path_factory.mktemp("exunit")
    for name, content in FILES.items():
        test = red(CODES[name], name=f'{name} #{{System.halt()}} "', vulnerableCodePath="lib/shop/users.ex")
        result = Into("exunit", "elixir").insert(content, test)
        assert result.method == "ast"
        (directory / name).write_bytes(result.content.encode())
    return directory


def test_on_vulnerable_code_only_the_new_ones_fail_and_by_assertion(project):
    output = run(project, VULNERABLE)
    assert "8 tests, 4 failures, 1 skipped" in output, output
    failed = re.findall(r"^\s+\d+\) test (.*) \(\w+\)", output, re.M)
    assert not [name for name in failed if "old" in name]
    assert len(re.findall(r"Refute with =~ failed|of two", output)) == 4, output


def test_on_fixed_code_all_pass(project):
    output = run(project, FIXED)
    assert "8 tests, 0 failures, 1 skipped" in output, output
