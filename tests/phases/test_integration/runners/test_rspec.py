"""Real RSpec runs: old tests pass, the new one fails by assertion until the code is fixed."""

import json
from pathlib import Path

import pytest

from tests.phases.test_integration.runners.needs import need
from tests.phases.test_integration.runners.ruby import FIXED, VULNERABLE, run, write_project

pytestmark = pytest.mark.slow

OLD = "  it 'old' do\n    expect(find('x')).to include('SELECT')\n  end\n"
NEW = "query = find(\"' OR 1=1 --\")\nexpect(query).not_to include('OR 1=1')"
FILES = {
    "one_spec.rb": f"require_relative 'shop'\n\nRSpec.describe 'shop' do\n{OLD}end\n",
    "crlf_spec.rb": f"require_relative 'shop'\n\ndescribe 'shop' do\n{OLD}end".replace("\n", "\r\n"),
    "nested_spec.rb": "require_relative 'shop'\n\nmodule Shop\n  RSpec.describe 'a' do\n    it('old') { 1 }\n"
    "  end\n  RSpec.describe 'shop' do\n    let(:lookup) { find(name) }\n    let(:name) { <<~A }\n      x\n"
    "    A\n    context 'x' do\n      it('old') { expect(lookup).to be }\n    end\n  end\nend\n",
    "skipped_spec.rb": f"require_relative 'shop'\n\ndescribe 'a', skip: 'later' do\n{OLD}end\n"
    f"shared_examples 'b' do\n{OLD}end\n__END__\nend\n",
    "line_spec.rb": "require_relative 'shop'\ndescribe('shop') { it('old') { expect(find('x')).to be } }\n",
    "whole_spec.rb": f"require_relative 'shop'\n\nRSpec.describe 'shop' do\n{OLD}end\n",
    "values_spec.rb": f"require_relative 'shop'\n\nRSpec.describe 'shop' do\n{OLD}end\n",
    "asserts_spec.rb": f"require_relative 'shop'\n\nRSpec.describe 'shop' do\n{OLD}end\n",
    "empty_spec.rb": "# frozen_string_literal: true\n",
}
TESTS = dict.fromkeys(FILES, NEW) | {
    "nested_spec.rb": "expect(find(\"' OR 1=1\" + name)).not_to include('OR 1=1')",
    "whole_spec.rb": "require 'spec_helper'\n\nRSpec.describe 'Injection' do\n"
    '  let(:attack) { "\' OR 1=1 --" }\n\n'
    "  it 'is kept out' do\n    expect(find(attack)).not_to include('OR 1=1')\n  end\nend\n",
    "values_spec.rb": "let(:attack) { <<~A }\n  ' OR 1=1 --\nA\n\nit('is kept out') "
    "{ expect(find(attack)).not_to include('OR 1=1') }\n",
    "asserts_spec.rb": "refute_includes find(\"' OR 1=1 --\"), 'OR 1=1'",
    "empty_spec.rb": f"require_relative 'shop'\n{NEW}",
}


def outcomes(directory: Path, shop: str) -> list[dict[str, str]]:
    (directory / "out.json").unlink(missing_ok=True)
    output = run(directory, shop, "rspec", "--format", "json", "--out", "out.json", *FILES)
    assert (directory / "out.json").exists(), output
    report = json.loads((directory / "out.json").read_text())
    assert report["summary"]["errors_outside_of_examples_count"] == 0, report["messages"]
    return [
        {
            "file": each["file_path"].removeprefix("./"),
            "name": each["description"],
            "status": each["status"],
            "raised": each.get("exception", {}).get("class", ""),
        }
        for each in report["examples"]
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("ruby", "rspec")
    directory = tmp_path_factory.mktemp("project")
    write_project(directory, "rspec", FILES, TESTS)
    return directory


@pytest.fixture(scope="module")
def vulnerable(project: Path) -> list[dict[str, str]]:
    return outcomes(project, VULNERABLE)


class TestOnVulnerableCode:
    def test_old_tests_are_as_before(self, vulnerable):
        old = [each for each in vulnerable if each["name"] == "old"]
        assert len(old) == 9
        assert [each["file"] for each in old if each["status"] != "passed"] == ["skipped_spec.rb"]

    def test_every_new_one_fails_by_assertion(self, vulnerable):
        new = [each for each in vulnerable if each["name"] != "old"]
        assert sorted(each["file"] for each in new) == sorted(FILES)
        assert {each["raised"] for each in new} == {"RSpec::Expectations::ExpectationNotMetError"}


class TestOnFixedCode:
    def test_all_pass(self, project):
        found = outcomes(project, FIXED)
        failed = [each for each in found if each["status"] == "failed"]
        assert len(found) == 18
        assert failed == []
