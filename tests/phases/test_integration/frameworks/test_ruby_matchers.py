"""Rewriting a test's assertions in a Ruby file's style, and removing its focus."""

import pytest

from phases.test_integration.engine import Integration
from tests.phases.test_integration.frameworks.ruby import codes, insert_all, red

EXPECT = "RSpec.describe A do\n  it 'x' do\n    expect(1).to eq 1\n  end\nend\n"
SHOULD = "describe A do\n  it 'x' do\n    1.should eq(1)\n  end\nend\n"
MINITEST = "class ATest < Minitest::Test\n  def test_x\n    assert_equal 1, 1\n  end\nend\n"

# The same assertion in RSpec and minitest.
ALIKE = [
    ("expect(1).to eq(2)", "assert_equal 2, 1"),
    ("expect(1).not_to eq(2)", "refute_equal 2, 1"),
    ("expect(1).to be_nil", "assert_nil 1"),
    ("expect(1).to be_truthy", "assert 1"),
    ("expect(1).not_to be_truthy", "refute 1"),
    ("expect([1]).to include(2)", "assert_includes([1], 2)"),
    ("expect('a').to match(/b/)", "assert_match(/b/, 'a')"),
    ("expect(1).to be_a(String)", "assert_kind_of String, 1"),
    ("expect { Foo.new }.to raise_error(Bar::Error)", "assert_raises(Bar::Error) { Foo.new }"),
    ("expect do\n  Foo.new\nend.to raise_error(Bar)", "assert_raises(Bar) do\n  Foo.new\nend"),
]


def insert(framework: str, target: str, code: str) -> Integration:
    result = insert_all(framework, target, red(code))
    assert insert_all(framework, result.content, red(code)).content == result.content
    return result


def written(framework: str, target: str, code: str) -> str:
    result = insert(framework, target, code)
    assert codes(result) == []
    rows = result.content.split("    # attack vector: ' OR 1=1 --\n")[1].split("\n  end\n")[0].split("\n")
    return "\n".join(row.removeprefix("    ") for row in rows)


class TestConversion:
    @pytest.mark.parametrize(("rspec", "minitest"), ALIKE, ids=[each[0] for each in ALIKE])
    def test_between_rspec_and_minitest(self, rspec, minitest):
        assert written("minitest", MINITEST, rspec) == minitest
        assert written("rspec", EXPECT, minitest) == rspec

    @pytest.mark.parametrize(
        ("should", "expect"),
        [
            ("(1 + 1).should eq 2", "expect((1 + 1)).to eq 2"),
            ("1.should_not be_nil", "expect(1).not_to be_nil"),
            ("1.should == 2", "expect(1).to eq(2)"),
            ("'a'.should =~ /b/", "expect('a').to match(/b/)"),
            ("lambda { Foo.new }.should raise_error", "expect { Foo.new }.to raise_error"),
            ("-> { Foo.new }.should raise_error", "expect { Foo.new }.to raise_error"),
        ],
    )
    def test_of_should(self, should, expect):
        assert written("rspec", EXPECT, should) == expect

    def test_into_should_where_the_file_has_nothing_else(self):
        assert written("rspec", SHOULD, "expect(1 + 1).not_to eq 2") == "(1 + 1).should_not eq 2"
        assert written("rspec", SHOULD, "expect { Foo.new }.to raise_error") == (
            "lambda { Foo.new }.should raise_error"
        )

    def test_of_should_for_minitest(self):
        assert written("minitest", MINITEST, "1.should eq(2)") == "assert_equal 2, 1"

    def test_of_complete_tests(self):
        content = insert("rspec", EXPECT, "def test_safe\n  assert_equal 1, 2\nend").content
        assert "    expect(2).to eq(1)\n" in content


class TestLeftAlone:
    @pytest.mark.parametrize(
        "code",
        [
            "assert_equal 1, 2, 'why'",
            "error = assert_raises(Foo) { Bar.new }",
            "assert_equal 1, 2\nassert_predicate 1, :zero?",
            "assert_match 'a.b', 'c'",
            "assert_equal <<~A, <<~B\n  a\nA\n  b\nB",
            "1.must_equal 2",
        ],
    )
    def test_assertions_without_an_exact_equivalent_is_reported(self, code):
        result = insert("rspec", EXPECT, code)
        assert code.split("\n")[0] in result.content
        assert codes(result) == ["matcher_style"]

    @pytest.mark.parametrize("code", ["expect(1).to be > 2", "expect { Foo.new }.to raise_error('x')"])
    def test_matchers_without_an_equivalent_are_reported(self, code):
        assert codes(insert("minitest", MINITEST, code)) == ["matcher_style"]

    def test_matchers_that_the_file_defines(self):
        target = MINITEST.replace("assert_equal 1, 1", "expect(1).to eq 1")
        assert written("minitest", target, "expect(1).to eq(2)") == "expect(1).to eq(2)"
        target = EXPECT.replace("expect(1).to eq 1", "assert_equal 1, 1")
        assert written("rspec", target, "assert_equal 1, 2") == "assert_equal 1, 2"

    def test_bare_should_is_about_the_subject(self):
        assert written("rspec", EXPECT, "should eq(2)") == "should eq(2)"


class TestFocus:
    @pytest.mark.parametrize(
        "opener",
        [
            "describe 'x', :focus do",
            "describe 'x', focus: true do",
            "fdescribe 'x' do",
            "fdescribe 'x', :focus => true do",
            "xdescribe 'x' do",
        ],
    )
    def test_of_a_whole_group_is_removed(self, opener):
        content = insert(
            "rspec", EXPECT, f"{opener}\n  let(:a) {{ 1 }}\n  it('is safe') {{ a }}\nend"
        ).content
        assert "\n  describe 'x' do\n" in content

    @pytest.mark.parametrize(
        "opener", ["it 'a', :slow, :focus do", "fit 'a', :slow do", "focus 'a', :slow do"]
    )
    def test_of_a_test_in_a_group_is_removed(self, opener):
        code = f"describe 'x' do\n  let(:a) {{ 1 }}\n  {opener}\n    raise\n  end\nend"
        assert "\n    it 'a', :slow do\n" in insert("rspec", EXPECT, code).content

    def test_of_minitest_is_removed(self):
        code = "class BTest < Minitest::Test\n  focus\n  def test_b\n    raise\n  end\nend"
        assert "focus" not in insert("minitest", MINITEST, code).content
