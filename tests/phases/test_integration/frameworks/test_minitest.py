"""Insertion into minitest files: placement, rendered code, warnings."""

import re

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import InvalidTestCode
from tests.phases.test_integration.frameworks.ruby import (
    codes,
    dedent,
    insert_all,
    parent_of,
    red,
    without_inserted,
)

BODY = "\n  def test_a\n    assert 1\n  end\nend\n"
ONE_CLASS = "class UserTest < Minitest::Test" + BODY
RAILS = 'class UserTest < ActiveSupport::TestCase\n  test "a" do\n    assert 1\n  end\nend\n'
SPEC = 'describe User do\n  it "a" do\n    _(1).must_equal 1\n  end\nend\n'


def insert(target: str, code: str = "assert_equal 1, 2", **others: str) -> Integration:
    result = insert_all("minitest", target, red(code, **others))
    assert without_inserted(result) == target
    again = insert_all("minitest", result.content, red(code, **others))
    assert again.content == result.content
    return result


def inserted(target: str, code: str = "assert_equal 1, 2", **others: str) -> str:
    return insert(target, code, **others).content


class TestPlace:
    def test_method_goes_after_the_last_test(self):
        target = dedent("""
            # frozen_string_literal: true

            require "test_helper"

            class UserTest < Minitest::Test
              parallelize_me!

              def setup
                @user = User.new
              end

              def test_a
                assert @user
              end # a

              private

              def helper = 1
            end
            """)
        result = insert(target, "assert_equal 1, @user")
        assert result.content == dedent("""
            # frozen_string_literal: true

            require "test_helper"

            class UserTest < Minitest::Test
              parallelize_me!

              def setup
                @user = User.new
              end

              def test_a
                assert @user
              end # a

              def test_security_rejects_sql_injection
                # security: rejects SQL injection
                # attack vector: ' OR 1=1 --
                assert_equal 1, @user
              end

              private

              def helper = 1
            end
            """)
        assert result.point is not None
        assert (result.method, result.point.line, result.point.strategy) == ("ast", 16, "after_last_method")
        assert (result.point.parent, result.warnings) == ("UserTest", ())

    def test_block_where_the_class_has_blocks(self):
        result = insert(RAILS)
        assert '\n  test "rejects SQL injection" do\n' in result.content
        assert result.point is not None
        assert result.point.strategy == "after_last_test"

    def test_example_where_the_file_has_groups(self):
        result = insert(SPEC)
        assert '\n  it "rejects SQL injection" do\n' in result.content
        assert parent_of(result) == "User"

    def test_class_within_modules(self):
        target = "module A\n  module B\n    class CTest < TestCase\n      def test_a; end\n" + "end\n" * 3
        assert parent_of(insert(target)) == "A::B::CTest"

    def test_never_below_a_private(self):
        target = "class ATest < Minitest::Test\n  def test_a; end\n  private\n  def test_b; end\nend\n"
        content = inserted(target)
        assert content.index("def test_security") < content.index("private")

    def test_one_line_class_is_opened(self):
        content = inserted("class ATest < Minitest::Test; def test_a; end; end\n")
        assert content.startswith("class ATest < Minitest::Test; def test_a; end; \n  def test_security")

    def test_before_the_data_of_the_file(self):
        content = inserted("class Base < Minitest::Test" + BODY + "class A < Base; end\n__END__\ndata")
        assert content.index("class BaseSecurityTest") < content.index("__END__")

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("")
        assert result.content == dedent("""
            require "minitest/autorun"

            class SecurityTest < Minitest::Test
              def test_security_rejects_sql_injection
                # security: rejects SQL injection
                # attack vector: ' OR 1=1 --
                assert_equal 1, 2
              end
            end
            """)
        assert (result.method, result.point) == ("append", None)

    def test_empty_file_loads_what_the_test_loads(self):
        code = 'require "test_helper"\n\nclass ATest < Minitest::Test\n  def test_a\n    raise\n  end\nend'
        content = inserted("", code)
        assert content.startswith(
            'require "test_helper"\n\nclass ATest < Minitest::Test\n  def test_a\n    # '
        )

    @pytest.mark.parametrize("empty", ["class ATest < Minitest::Test\nend\n", "describe A do\nend\n"])
    def test_empty_group_takes_it(self, empty):
        assert insert(empty).method == "ast"

    @pytest.mark.parametrize(
        "unfit",
        [
            "class ATest < Minitest::Test" + BODY + "class BTest < ATest\nend\n",
            "module ATests" + BODY,
            "class ATest" + BODY,
            "class Helper < Struct.new(:a)" + BODY,
            "if x\nclass ATest < Minitest::Test" + BODY + "end\n",
            "class ATest < Minitest::Test" + BODY.rstrip() + " if x\n",
            "[1].each do |x|\nclass ATest < Minitest::Test" + BODY + "end\n",
            "class ATest < Minitest::Test\n  def setup; end\n  undef_method :x" + BODY,
            "class ATest < Minitest::Test\n  setup { skip 'later' }" + BODY,
            "class ATest < Minitest::Test\n  def setup\n    skip 'later'\n  end" + BODY,
            "class ATest < Minitest::Test\n  def self.runnable_methods = []\n" + BODY,
        ],
        ids=[
            "inherited by another",
            "module",
            "without a base",
            "no test case",
            "conditional",
            "conditional behind",
            "loop",
            "tests taken away",
            "skipped in its setup",
            "skipped in the method that sets it up",
            "chooses its methods",
        ],
    )
    def test_never_goes_where_it_would_not_run_once(self, unfit):
        assert re.search(r"^class \w*SecurityTest < ", inserted(unfit), re.M)
        assert parent_of(insert(unfit + "class FitTest < Minitest::Test" + BODY, name="fit")) == "FitTest"

    def test_class_that_has_its_base_elsewhere_in_the_file_is_fit(self):
        assert parent_of(insert("class ATest < Minitest::Test; end\nclass ATest" + BODY)) == "ATest"

    def test_new_class_is_like_the_class_before_it_and_beside_it(self):
        target = "module A\n  class BaseTest < TestCase" + BODY.replace("\n", "\n  ").rstrip() + "\n"
        result = insert(target + "  class BTest < BaseTest\n  end\nend\n")
        assert "\n\n  class BaseSecurityTest < TestCase\n    def test_security" in result.content
        assert parent_of(result) == "A"


class TestChoice:
    TWO = "class OrderTest < Minitest::Test" + BODY + "class UserTest < Minitest::Test\n  def setup\n"
    TWO += "    @user = 1\n  end" + BODY + "class MailTest < Minitest::Test" + BODY

    def test_by_what_the_vulnerable_file_defines(self):
        assert parent_of(insert(self.TWO, vulnerableCodePath="app/models/user.rb")) == "UserTest"

    def test_by_the_words_of_its_name(self):
        assert parent_of(insert(self.TWO, name="mails are escaped")) == "MailTest"

    def test_without_evidence_it_gets_its_own_and_the_next_shares_it(self):
        result = insert_all("minitest", self.TWO, red("raise 'x'"), red("raise 'y'", "more"))
        assert result.content.count("class MailSecurityTest < Minitest::Test") == 1
        assert result.content.index("_injection") < result.content.index("test_security_more")


class TestCompleteTests:
    def test_method_keeps_its_name(self):
        assert "\n  def test_is_safe\n    # security: " in inserted(
            ONE_CLASS, "def test_is_safe\n  flunk\nend"
        )

    def test_method_of_a_name_that_is_used_is_renamed(self):
        assert "\n  def test_a_2\n" in inserted(ONE_CLASS, "def test_a\n  flunk\nend")

    def test_block_becomes_what_the_class_has(self):
        code = "test 'is safe' do\n  flunk\nend"
        assert "\n  def test_security_is_safe\n" in inserted(ONE_CLASS, code)
        assert '\n  test "is safe" do\n' in inserted(RAILS, code)
        assert '\n  it "is safe" do\n' in inserted(SPEC, code)

    def test_block_name_is_unique_as_a_method(self):
        assert '\n  test "a b (2)" do\n' in inserted(RAILS.replace('"a"', '"a  b"'), "flunk", name="a b")

    def test_class_of_the_same_name_gives_its_methods(self):
        content = inserted(ONE_CLASS, "class UserTest < Minitest::Test\n  def test_b\n    flunk\n  end\nend")
        assert content.count("class UserTest") == 1
        assert "\n  def test_b\n    # security: " in content

    def test_class_of_another_name_stands_beside(self):
        code = "class ATest < Minitest::Test\n  def setup; end\n  def test_b\n    flunk\n  end\nend"
        content = inserted(ONE_CLASS, code)
        assert "\nend\n\nclass ATest < Minitest::Test\n  def setup; end\n" in content

    def test_class_of_a_name_that_is_used_is_renamed(self):
        code = "class UserTest < Other\n  def setup; @a = 1; end\n  def test_b\n    flunk @a\n  end\nend"
        assert "\nclass UserTest2 < Other\n" in inserted(ONE_CLASS, code)

    def test_helpers_are_inserted_too(self):
        code = "def test_b\n  flunk text\nend\n\nprivate\n\ndef text\n  'x'\nend"
        content = inserted(ONE_CLASS, code)
        assert "\n  def text\n" in content
        assert "private" not in content

    def test_setup_of_its_own_gets_a_class_of_its_own(self):
        content = inserted(ONE_CLASS, "def setup\n  @a = 1\nend\n\ndef test_b\n  flunk @a\nend")
        assert "\nend\n\nclass UserSecurityTest < Minitest::Test\n  def setup\n" in content

    def test_group_with_let_requires_minitest_spec(self):
        code = "describe 'x' do\n  let(:y) { 1 }\n  it 'is safe' do\n    _(y).must_equal 2\n  end\nend"
        assert "\nrequire 'minitest/spec'\n\ndescribe 'x' do\n" in inserted(ONE_CLASS, code).replace('"', "'")
        assert "\n  describe 'x' do\n    let(:y)" in inserted(SPEC, code)

    def test_body_with_a_constant_uses_define_method(self):
        assert "\n  define_method(:test_security_rejects_sql_injection) do\n" in inserted(
            ONE_CLASS, "ATTACK = 1\nassert_equal ATTACK, 2"
        )

    def test_body_with_a_jump_uses_define_method(self):
        assert "define_method" in inserted(ONE_CLASS, "next if windows?\nassert 1")

    @pytest.mark.parametrize(
        "code", ["x\nend.foo", "def x\n  X = 1\nend\nx", "retry", "yield", "nil = 1", "def y\n  break\nend"]
    )
    def test_what_only_ruby_itself_rejects_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(ONE_CLASS, code)

    def test_constant_of_the_file_is_not_replaced(self):
        with pytest.raises(InvalidTestCode, match="ATTACK"):
            insert("ATTACK = 1\n" + ONE_CLASS, "ATTACK = 2\nassert_equal ATTACK, 1")

    def test_rescue_of_a_method_becomes_a_block(self):
        content = inserted(ONE_CLASS, "find\nassert 1\nrescue E => e\nassert e\nensure\nx")
        assert (
            "    begin\n      find\n      assert 1\n    rescue E => e\n      assert e\n    ensure\n"
            in content
        )


class TestData:
    @pytest.mark.parametrize(
        "name", ["it's", '"; x', "#{`id`}", "a\nend\nsystem('id')", "\0", "ü", "日本語", "test", "a" * 999]
    )
    @pytest.mark.parametrize("target", [ONE_CLASS, RAILS, SPEC, ""], ids=["def", "test", "it", "new"])
    def test_never_becomes_code(self, target, name):
        content = inserted(target, name=f"{name}.", attack=name)
        assert content.count("\n") == inserted(target, name="plain", attack="plain").count("\n")
        assert "\nsystem" not in content


class TestWarnings:
    def test_focus_elsewhere_is_reported(self):
        result = insert("class ATest < Minitest::Test\n  focus" + BODY)
        assert [(warning.code, warning.line) for warning in result.warnings] == [("focused_elsewhere", 2)]

    def test_name_that_nothing_binds_is_reported(self):
        assert codes(insert(ONE_CLASS, "assert_equal 1, @missing")) == ["unbound_name"]

    def test_name_that_the_tests_own_setup_binds_is_not(self):
        code = (
            "class BTest < Minitest::Test\n  def setup\n    @user = 1\n  end\n\n"
            "  def test_b\n    assert_equal 2, @user\n  end\nend"
        )
        assert codes(insert(ONE_CLASS, code)) == []
        assert (
            codes(insert(SPEC, "describe 'b' do\n  let(:b) { 1 }\n  it('c') { _(b).must_equal 2 }\nend"))
            == []
        )

    def test_what_a_setup_binds_is_bound(self):
        target = ONE_CLASS.replace("\n", "\n  def setup; @user = 1; end\n", 1)
        assert codes(insert(target, "assert_equal 1, @user")) == []
