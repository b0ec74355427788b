"""Real minitest runs: old tests pass, the new one fails by assertion until the code is fixed."""

import re
from pathlib import Path

import pytest

from tests.phases.test_integration.runners.needs import need
from tests.phases.test_integration.runners.ruby import FIXED, VULNERABLE, run, write_project

pytestmark = pytest.mark.slow

HEAD = "require 'minitest/autorun'\nrequire_relative 'shop'\n\n"
OLD = "  def test_old\n    assert_includes find('x'), 'SELECT'\n  end\n"
NEW = "query = find(\"' OR 1=1 --\")\nrefute_includes query, 'OR 1=1'"
FILES = {
    "class_test.rb": f"{HEAD}class ShopTest < Minitest::Test\n  parallelize_me!\n\n{OLD}\n  private\n\n"
    "  def helper\n  end\nend\n",
    "crlf_test.rb": f"{HEAD}class ShopTest2 < Minitest::Test\n{OLD}end".replace("\n", "\r\n"),
    "spec_test.rb": f"{HEAD}describe 'shop' do\n  let(:lookup) {{ find('x') }}\n\n"
    "  it 'old' do\n    _(lookup).must_include <<~A.strip\n      SELECT\n    A\n  end\nend\n",
    "base_test.rb": f"{HEAD}class BaseTest < Minitest::Test\n{OLD}end\n\nclass ChildTest < BaseTest\nend\n"
    "__END__\nend\n",
    "line_test.rb": f"{HEAD}class LineTest < Minitest::Test; def test_old; assert find('x'); end; end\n",
    "rails_test.rb": f"{HEAD}class Case < Minitest::Test\n  def self.test(name, &body)\n"
    "    define_method(\"test_#{name.gsub(/\\s+/, '_')}\", &body)\n  end\nend\n\n"
    "class RailsTest < Case\n  test \"old\" do\n    assert find('x')\n  end\nend\n",
    "whole_test.rb": f"{HEAD}class WholeTest < Minitest::Test\n{OLD}end\n",
    "values_test.rb": f"{HEAD}class ValuesTest < Minitest::Test\n{OLD}end\n",
    "constant_test.rb": f"{HEAD}class ConstantTest < Minitest::Test\n{OLD}end\n",
    "expects_test.rb": f"{HEAD}class ExpectsTest < Minitest::Test\n{OLD}end\n",
    "empty_test.rb": "",
}
TESTS = dict.fromkeys(FILES, NEW) | {
    "whole_test.rb": "require 'test_helper'\n\nclass InjectionTest < Minitest::Test\n  def setup\n"
    '    @attack = "\' OR 1=1 --"\n  end\n\n  def test_injection\n'
    "    refute_includes find(@attack), 'OR 1=1'\n  end\nend\n",
    "values_test.rb": "describe 'injection' do\n  let(:attack) { \"' OR 1=1 --\" }\n\n"
    "  it 'is kept out' do\n    _(find(attack)).wont_include 'OR 1=1'\n  end\nend\n",
    "constant_test.rb": "ATTACK = \"' OR 1=1 --\"\nrefute_includes find(ATTACK), 'OR 1=1'",
    "expects_test.rb": "expect(find(\"' OR 1=1 --\")).not_to include('OR 1=1')",
    "empty_test.rb": f"require_relative 'shop'\n{NEW}",
}


# Parallel tests would mix their output lines.
IN_TURN = "require 'minitest'; def (Minitest::Test).parallelize_me! = nil; "


def outcomes(directory: Path, shop: str) -> tuple[list[tuple[str, str]], str]:
    """Return the name and result sign of every test by file, and the whole output."""
    loads = "; ".join(f"load {f'./{name}'!r}" for name in FILES)
    output = run(directory, shop, "ruby", "-W0", "-e", IN_TURN + loads, "--", "--verbose", "--seed", "1")
    return re.findall(r"^(\S+#\S.*?) = [\d.]+ s = ([.FES])$", output, re.M), output


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("ruby")
    directory = tmp_path_factory.mktemp("project")
    write_project(directory, "minitest", FILES, TESTS)
    return directory


class TestOnVulnerableCode:
    def test_old_pass_and_new_fail_by_assertion(self, project):
        found, output = outcomes(project, VULNERABLE)
        old = [sign for name, sign in found if name.endswith("old")]
        new = [sign for name, sign in found if not name.endswith("old")]
        assert old == ["."] * 11, output
        assert new == ["F"] * len(FILES), output


class TestOnFixedCode:
    def test_all_pass(self, project):
        found, output = outcomes(project, FIXED)
        assert len(found) == 22, output
        assert {sign for _, sign in found} == {"."}, output
