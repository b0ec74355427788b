"""Insertion into RSpec files: placement, rendered code, warnings."""

import pytest

from phases.test_integration.engine import Integration
from phases.test_integration.errors import InvalidTestCode, TargetRejected
from tests.phases.test_integration.frameworks.ruby import (
    codes,
    dedent,
    insert_all,
    parent_of,
    red,
    without_inserted,
)

ONE_GROUP = "RSpec.describe User do\n  it 'works' do\n    expect(1).to eq 1\n  end\nend\n"


def insert(target: str, code: str = "expect(1).to eq 2", **others: str) -> Integration:
    result = insert_all("rspec", target, red(code, **others))
    assert without_inserted(result) == target
    again = insert_all("rspec", result.content, red(code, **others))
    assert again.content == result.content
    return result


def inserted(target: str, code: str = "expect(1).to eq 2", **others: str) -> str:
    return insert(target, code, **others).content


class TestPlace:
    def test_goes_after_the_last_example(self):
        target = dedent("""
            require 'spec_helper'

            RSpec.describe User do
              let(:user) { User.new }

              it 'a' do
                expect(user).to be
              end

              def helper; end
            end
            """)
        result = insert(target)
        assert result.content == dedent("""
            require 'spec_helper'

            RSpec.describe User do
              let(:user) { User.new }

              it 'a' do
                expect(user).to be
              end

              it 'rejects SQL injection' do
                # security: rejects SQL injection
                # attack vector: ' OR 1=1 --
                expect(1).to eq 2
              end

              def helper; end
            end
            """)
        assert result.point is not None
        assert (result.method, result.point.line, result.point.strategy) == ("ast", 10, "after_last_it_block")
        assert result.point.parent == "User"

    def test_after_the_text_of_a_heredoc(self):
        target = (
            "describe 'x' do\n  it('a') { expect(<<~ONE + <<-TWO).to eq 1 } # end\n    one\n  ONE\n"
            "  it 'b' do\n  TWO\nend\n"
        )
        assert inserted(target).split("\n")[6:8] == ["", "  it 'rejects SQL injection' do"]

    def test_before_the_data_of_the_file(self):
        content = inserted("xdescribe('a') { it('b') { } }\n__END__\nend")
        assert content.index("describe 'security'") < content.index("__END__")

    def test_end_marker_in_a_heredoc_is_ignored(self):
        target = "X = <<A\n__END__\nA\nxdescribe('a') { it('b') { } }\n"
        assert inserted(target).index("describe 'security'") > len(target)

    def test_group_of_one_line_is_opened(self):
        result = insert("describe('x') { it('a') { 1 } }\n")
        assert result.content.startswith("describe('x') { it('a') { 1 } \n  it 'rejects")
        assert result.content.endswith("  end\n}\n")

    def test_group_of_one_line_with_a_heredoc_is_left_alone(self):
        result = insert("describe('x') { it('a') { f <<~A } }\n  a\nA\n")
        assert (result.method, parent_of(result)) == ("ast", "module")

    @pytest.mark.parametrize(
        "empty", ["describe 'x' do\nend\n", "describe('x') {}\n", "describe 'x' do\n  # later\nend"]
    )
    def test_empty_group_takes_it(self, empty):
        result = insert(empty)
        assert (result.method, parent_of(result)) == ("ast", "x")

    def test_comment_block_stays_together(self):
        target = "describe 'x' do\n  it 'a' do\n  end\n=begin\nend\n=end\nend\n"
        assert inserted(target).index("rejects") < inserted(target).index("=begin")

    def test_group_within_a_module(self):
        result = insert("module A\n  describe B do\n    it('a') { 1 }\n  end\nend\n")
        assert parent_of(result) == "A B"
        assert "\n    it 'rejects" in result.content

    def test_empty_file_becomes_a_complete_one(self):
        result = insert("# frozen_string_literal: true\n", "require 'app'\nexpect(1).to eq 2")
        assert result.content == dedent("""
            # frozen_string_literal: true

            require 'app'

            RSpec.describe 'security' do
              it 'rejects SQL injection' do
                # security: rejects SQL injection
                # attack vector: ' OR 1=1 --
                expect(1).to eq 2
              end
            end
            """)
        assert (result.method, result.point) == ("append", None)

    @pytest.mark.parametrize(
        "unfit",
        [
            "xdescribe 'b' do",
            "fdescribe 'b' do",
            "describe 'b', :focus do",
            "describe 'b', focus: true do",
            "RSpec.describe 'b', skip: 'later' do",
            "describe 'b', :pending do",
            "describe 'b', if: windows? do",
            "shared_examples 'b' do",
            "RSpec.shared_context 'b' do",
            "[1, 2].each do |b|\n  describe b do",
            "if b\n  describe 'b' do",
            "describe 'b' do\n  before { skip }",
            "xdescribe 'c' do\n  context 'd' do",
        ],
    )
    def test_never_goes_where_it_would_not_run_once(self, unfit):
        body = "  it 'x' do\n    expect(1).to eq 1\n  end\n"
        target = unfit + "\n" + body + "end\n" * (1 + unfit.count("\n") - ("before" in unfit))
        assert parent_of(insert(target + "describe 'a' do\n" + body + "end\n")) == "a"
        alone = insert(target + "describe 'a', :skip do\n" + body + "end\n")
        assert "\ndescribe 'security' do\n  it 'rejects" in alone.content.replace("RSpec.", "")

    def test_metadata_that_changes_nothing_does_not_prevent_insertion(self):
        target = "RSpec.describe A, :config, type: :model, focus: false do\n  it { is_expected.to be }\nend\n"
        assert parent_of(insert(target)) == "A"


class TestChoice:
    TWO = (
        "describe 'orders' do\n  it('a') { 1 }\nend\n"
        "describe UsersController do\n  it('b') { 1 }\n  describe '#search' do\n    let(:term) { 1 }\n"
        "    it('c') { 1 }\n  end\nend\n"
        "describe 'mails' do\n  it('d') { 1 }\nend\n"
    )

    def test_by_what_the_vulnerable_file_defines(self):
        result = insert(self.TWO, vulnerableCodePath="app/controllers/users_controller.rb")
        assert parent_of(result) == "UsersController"

    def test_by_the_words_of_its_name(self):
        assert parent_of(insert(self.TWO, name="mail headers are escaped")) == "mails"

    def test_by_what_only_one_binds(self):
        assert parent_of(insert(self.TWO, "expect(term).to eq 2")) == "UsersController #search"

    def test_group_for_security_comes_first(self):
        target = self.TWO + "describe 'security' do\n  it('e') { 1 }\nend\n"
        assert parent_of(insert(target, name="mail")) == "security"

    def test_without_evidence_it_gets_its_own(self):
        result = insert(self.TWO, name="nothing known")
        assert result.content.endswith("    expect(1).to eq 2\n  end\nend\n")
        assert "\ndescribe 'security' do\n" in result.content
        second = insert_all("rspec", result.content, red("expect(3).to eq 4", "more"))
        assert second.content.count("describe 'security'") == 1


class TestCompleteTests:
    def test_example_keeps_its_description(self):
        content = inserted(ONE_GROUP, '# why\nit "is safe", type: :model do\n  expect(1).to eq 2\nend')
        assert (
            "\n  # why\n  it 'is safe', type: :model do\n    # security: rejects SQL injection\n" in content
        )

    def test_focus_is_removed(self):
        content = inserted(ONE_GROUP, "fit 'is safe', :focus do\n  expect(1).to eq 2\nend")
        assert "\n  it 'is safe' do\n" in content
        content = inserted(ONE_GROUP, "context 'x' do\n  let(:a) { 1 }\n  fit 'is safe' do\n  end\nend")
        assert "\n    it 'is safe' do\n" in content

    def test_context_with_its_values_stays_together(self):
        code = "context 'when bad' do\n  let(:x) { 1 }\n  it { expect(x).to eq 2 }\n  it('b') { 1 }\nend"
        content = inserted(ONE_GROUP, code)
        assert "\n  context 'when bad' do\n    let(:x) { 1 }\n" in content
        assert content.count("# security:") == 2

    def test_values_beside_examples_get_a_group(self):
        content = inserted(ONE_GROUP, "let(:x) { 1 }\nit 'is safe' do\n  expect(x).to eq 2\nend")
        assert "\n  describe 'rejects SQL injection' do\n    let(:x) { 1 }\n    it 'is safe' do\n" in content

    def test_group_of_the_same_name_gives_its_examples(self):
        code = "require 'rails_helper'\n\nRSpec.describe User do\n  it 'is safe' do\n    raise\n  end\nend"
        content = inserted(ONE_GROUP, code)
        assert content.count("describe User") == 1
        assert "rails_helper" not in content

    def test_group_of_a_class_stands_beside(self):
        code = "describe Other do\n  let(:x) { 1 }\n  it 'is safe' do\n    expect(x).to eq 2\n  end\nend"
        assert "\nend\n\nRSpec.describe Other do\n" in inserted(ONE_GROUP, code)

    def test_require_that_could_fail_runs_in_the_test(self):
        content = inserted(ONE_GROUP, "require 'nokogiri'\nit 'is safe' do\n  expect(1).to eq 2\nend")
        assert "\n    require 'nokogiri'\n    expect(1)" in content

    def test_methods_become_examples(self):
        assert "\n  it 'query is safe' do\n" in inserted(ONE_GROUP, "def test_query_is_safe\n  raise\nend")

    @pytest.mark.parametrize(
        "code",
        [
            "end",
            "it 'x' do",
            "x = <<~A\n  a",
            "__END__\nx",
            "BEGIN { x }",
            "x = (",
            "x \\",
            "X = '",
            "it 'x'; ]",
        ],
    )
    def test_invalid_code_is_rejected(self, code):
        with pytest.raises(InvalidTestCode):
            insert(ONE_GROUP, code)


class TestStyle:
    def test_quotes_are_the_files(self):
        assert '  it "rejects SQL injection" do' in inserted(ONE_GROUP.replace("'", '"'))

    def test_keyword_is_the_groups(self):
        assert "  scenario 'rejects" in inserted(ONE_GROUP.replace("it '", "scenario '"))

    def test_lines_end_as_the_files(self):
        result = insert(ONE_GROUP.replace("\n", "\r\n"), "x = <<~A\n  a\nA\nexpect(x).to eq 2")
        assert "\n" not in result.content.replace("\r\n", "")

    def test_tabs_stay_tabs(self):
        content = inserted(ONE_GROUP.replace("  ", "\t"), "if 1\n  expect(1).to eq 2\nend")
        assert "\n\t\t\texpect(1).to eq 2\n\t\tend\n\tend\nend\n" in content

    def test_missing_last_newline_stays_missing(self):
        assert inserted(ONE_GROUP.rstrip()).endswith("  end\nend")

    @pytest.mark.parametrize(
        "string",
        [
            "<<~A\n  a\nA",
            "<<A\n a\nA",
            "'\n a'",
            '"a\n  #{b}\nc"',
            "%q(\n a)",
            "/\n a/x",
            "`\n a`",
            "%(\na\n)",
        ],
    )
    def test_strings_are_not_moved(self, string):
        content = inserted(ONE_GROUP, f"  x = {string}\n  expect(x).to eq 2")
        assert f"    x = {string}\n    expect(x).to eq 2\n" in content

    def test_comment_block_keeps_its_column(self):
        assert "\n=begin\n a\n=end\n" in inserted(ONE_GROUP, "x = 1\n=begin\n a\n=end\nexpect(x).to eq 2")


class TestData:
    HOSTILE = ("it's", 'a "b"', "#{`id`}", "a\nend\nsystem('id')", "\\", "\\'", "#$0 #@x", "a\u2028b", "a\0b")
    HOSTILE += ("=begin", "-*- coding: x -*-", "ü €", "'", "__END__", "\ud800")

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    @pytest.mark.parametrize("quote", ["'", '"'])
    def test_never_becomes_code(self, text, quote):
        target = ONE_GROUP.replace("'", quote)
        plain = insert(target, name="plain", attack="plain").content.split("\n")
        hostile = insert(target, name=text, attack=text, expectedBehavior="").content.split("\n")
        assert len(hostile) == len(plain)
        assert [line for line in hostile if "expect(1).to eq 2" in line] == ["    expect(1).to eq 2"]
        (mark,) = [line for line in hostile if line.strip().startswith("# attack vector")]
        assert mark.isprintable()

    def test_names_are_kept_apart(self):
        content = insert_all("rspec", ONE_GROUP, red("raise 'a'"), red("raise 'b'"), red("raise 'c'")).content
        assert "it 'rejects SQL injection' do" in content
        assert "it 'rejects SQL injection (2)' do" in content
        assert "it 'rejects SQL injection (3)' do" in content


class TestWarnings:
    def test_focus_elsewhere_is_reported(self):
        (warning,) = insert(ONE_GROUP + "describe 'b' do\n  fit 'x' do\n  end\nend\n").warnings
        assert (warning.code, warning.line) == ("focused_elsewhere", 7)

    def test_file_that_returns_early_is_reported(self):
        assert codes(insert("return\n" + ONE_GROUP)) == ["module_skipped"]
        assert codes(insert("return unless ENV['X']\n" + ONE_GROUP)) == ["module_may_be_skipped"]

    def test_name_that_nothing_binds_is_reported(self):
        result = insert(ONE_GROUP, "query = find(term)\nexpect(query).to eq @x")
        assert [warning.message[:40] for warning in result.warnings] == [
            "nothing in the file binds `@x`, which the"[:40],
            "nothing in the file binds `term`, which t"[:40],
        ]


class TestBrokenTarget:
    def test_missing_end_is_never_made_worse(self):
        target = ONE_GROUP.removesuffix("end\n")
        with pytest.raises(TargetRejected, match="broken"):
            insert(target)

    def test_error_elsewhere_does_not_prevent_insertion(self):
        result = insert(ONE_GROUP + "describe 'b' do\n  let(:x) { ) }\nend\n", name="user")
        assert codes(result) == ["target_has_errors"]

    def test_heredoc_without_end_is_rejected(self):
        with pytest.raises(TargetRejected):
            insert("x = <<~A\n" + ONE_GROUP)

    def test_lone_carriage_returns_are_rejected(self):
        with pytest.raises(TargetRejected, match="carriage"):
            insert(ONE_GROUP.replace("\n", "\r"))

    def test_characters_that_the_encoding_lacks_are_rejected(self):
        with pytest.raises(TargetRejected, match="encoding"):
            insert("# encoding: us-ascii\n" + ONE_GROUP, "expect('ü').to eq 2")
        assert inserted("# encoding: us-ascii\n" + ONE_GROUP, name="ü").isascii()
