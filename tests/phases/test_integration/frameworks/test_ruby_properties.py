"""Properties of insertion into any Ruby file, generated or damaged."""

import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TargetRejected, TestIntegrationError
from phases.test_integration.languages.ruby.outline import GRAMMAR
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors
from tests.phases.test_integration.frameworks.ruby import insert_all, without_inserted
from tests.phases.test_integration.runners.needs import need

# Reads sources, each after a line with its size, and prints whether Ruby can compile it.
JUDGE = """
$VERBOSE = nil
$stdout.sync = true
$stderr.reopen(File::NULL)
while (size = $stdin.gets)
  source = $stdin.read(size.to_i).force_encoding('UTF-8')
  begin
    RubyVM::InstructionSequence.compile(source)
    puts 'yes'
  rescue SyntaxError, ArgumentError, EncodingError
    puts 'no'
  end
end
"""
HEADS = ["", "# frozen_string_literal: true\n\n", "#!/usr/bin/env ruby\n", "require 'x'\n", "\n\n"]
HEADS += ["# -*- coding: us-ascii -*-\n"]
EXAMPLES = [
    "it 'a' do\n  expect(1).to eq 1\nend\n",
    "it('b') { x <<~A, <<-B } # end\n  one\nA\n  two\n  B\n",
    "specify { is_expected.to be }\n",
    "it 'c' do\n  %w[a\n  b].each { |x| y = %q(\n z) }\n  # last\nend # c\n",
    "let(:x) { 1 }\n",
    "before do\n  @y = 1\nend\n",
    '[1].each do |n|\n  it "d #{n}" do\n  end\nend\n',
    "it_behaves_like 'x'\n",
    "# a comment\n",
    "=begin\nend\n=end\n",
    "def helper; end\n",
]
METHODS = [
    "def test_a\n  assert 1\nend\n",
    "def test_b; refute <<~A, <<-B; end\n  one\nA\n  two\n  B\n",
    "test 'c' do\n  assert 1\nend\n",
    "def setup = 1\n",
    "private\n",
    "private def helper\nend\n",
    "parallelize_me!\n",
    "def test_d\n  x\nrescue E\n  y\nensure\n  z\nend # d\n",
    "# a comment\n",
    "=begin\nend\n=end\n",
]
OPENERS = {
    "rspec": [
        "RSpec.describe User do",
        "describe 'x', :focus do",
        "xdescribe 'y' do",
        "shared_examples 's' do",
    ]
    + ["context 'security' do", "if x", "module A"],
    "minitest": ["class UserTest < Minitest::Test", "class OrderTest < UserTest", "class ATest < T; x"]
    + ["describe 'x' do", "module A", "if x", "class MailTest < ActiveSupport::TestCase"],
}
TAILS = ["", "", "__END__\nend\n", "x = 1\n", "# end\n", "describe('z') { it('z') { 1 } }\n"]
CODES = [
    "assert_equal 1, 2",
    "x = <<~A\n  a\nA\nexpect(x).to eq '\n a'",
    "it 'is safe' do\n  raise\nend",
    "def test_is_safe\n  raise\nensure\n  x\nend",
    "require 'json'\ndescribe 'security' do\n  let(:a) { 1 }\n  it('b') { a }\nend",
    "let(:a) { 1 }\nit 'is safe' do\n  a\nend",
    "class SafeTest < Minitest::Test\n  def test_safe\n    raise\n  end\nend",
    "A = 1\nraise A",
]


def indented(text: str) -> str:
    """Return the code indented, except for lines that Ruby requires in the first column."""
    return "".join(
        line if line.startswith(("=", "A\n", "end\n=")) else f"  {line}" for line in text.splitlines(True)
    )


def files(framework: str) -> st.SearchStrategy[str]:
    members = st.lists(
        st.sampled_from(EXAMPLES if framework == "rspec" else METHODS + EXAMPLES[:2]), max_size=4
    )

    def group(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(
            lambda opener, body, is_flat: (
                f"{opener}\n{''.join(body) if is_flat else indented(''.join(body))}end\n"
            ),
            st.sampled_from(OPENERS[framework]),
            st.lists(inner, max_size=3),
            st.booleans(),
        )

    leaf = group(members.map("\n".join))
    return st.builds(
        lambda head, groups, tail: head + "\n".join(groups) + tail,
        st.sampled_from(HEADS),
        st.lists(leaf | group(leaf), max_size=3),
        st.sampled_from(TAILS),
    )


MUTATIONS = {
    "none": lambda text, at: text,
    "CRLF": lambda text, at: text.replace("\n", "\r\n"),
    "mixed": lambda text, at: text[:at] + text[at:].replace("\n", "\r\n"),
    "BOM": lambda text, at: "\ufeff" + text,
    "tabs": lambda text, at: text.replace("  ", "\t"),
    "no last newline": lambda text, at: text.rstrip("\n"),
    "trailing blank": lambda text, at: text + "  \n\n\t",
    "one line": lambda text, at: text.replace("\n", "; "),
    "a character less": lambda text, at: text[:at] + text[at + 1 :],
    "cut off": lambda text, at: text[:at],
    "an end less": lambda text, at: text[:at] + text[at:].replace("end", "", 1),
    "a quote more": lambda text, at: text[:at] + "'" + text[at:],
}
cases = st.sampled_from(["rspec", "minitest"]).flatmap(
    lambda framework: st.tuples(
        st.just(framework),
        st.builds(
            lambda text, mutation, at: MUTATIONS[mutation](text, at % (len(text) + 1)),
            files(framework),
            st.sampled_from(sorted(MUTATIONS)),
            st.integers(0, 2000),
        ),
        st.lists(
            st.builds(
                lambda name, code, attack: {
                    "testName": name,
                    "testCode": code,
                    "attackVector": attack,
                    "vulnerableCodePath": "app/user.rb",
                },
                st.text(min_size=1, max_size=12).filter(str.strip),
                st.sampled_from(CODES),
                st.text(min_size=1, max_size=12).filter(str.strip),
            ),
            min_size=1,
            max_size=2,
        ),
    )
)
Case = tuple[str, str, list[dict[str, str]]]
thorough = settings(
    max_examples=70,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Judge:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def accepts(self, text: str) -> bool:
        source = text.encode()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"%d\n" % len(source) + source)
        self._process.stdin.flush()
        return self._process.stdout.readline() == b"yes\n"


@pytest.fixture(scope="module")
def ruby() -> Iterator[Judge]:
    need("ruby")
    with subprocess.Popen(["ruby", "-e", JUDGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Judge(process)
        assert process.stdin
        process.stdin.close()


def insert_or_skip(case: Case) -> Integration:
    framework, target, tests = case
    try:
        return insert_all(framework, target, *tests)
    except TargetRejected:
        assume(False)
        raise


def error_count(text: str) -> int:
    return len(errors(GRAMMAR.parse(Document.of(text))))


@thorough
@given(cases)
def test_old_bytes_stay_errors_do_not_grow_and_repeating_changes_nothing(case):
    result = insert_or_skip(case)
    assert without_inserted(result) == case[1]
    assert error_count(result.content) <= error_count(case[1])
    assert insert_all(case[0], result.content, *case[2]).content == result.content


@thorough
@given(cases)
def test_what_ruby_accepted_it_still_accepts(ruby, case):
    assume(ruby.accepts(case[1]))
    assert ruby.accepts(insert_or_skip(case).content)


@settings(thorough, max_examples=40)
@given(st.sampled_from(["rspec", "minitest"]), st.text(), st.text(min_size=1).filter(str.strip))
def test_any_text_is_answered_or_rejected(framework, target, code):
    try:
        insert_all(framework, target, {"testName": "x", "testCode": code, "attackVector": "y"})
    except TestIntegrationError as rejected:
        assert rejected.status in (400, 422)
