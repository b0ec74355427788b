"""Every regular expression of the sources takes time that grows with the text and no faster."""

import pytest

from tests.patterns import Use, find_slow_text, find_uses

PACKAGES = ("billing", "customers", "phases", "provisioning", "rsolv")
# Modules that read files of a developer, never a customer's.
DEVELOPER_TOOLS = (
    "phases/test_integration/measure/corpus.py",
    "phases/test_integration/measure/ranking_bench.py",
)
# Modules that build a pattern from a name, and an example of the pattern. Each is searched once.
BUILT_FROM_NAMES = {"phases/test_integration/languages/javascript/style.py": rb"(?<![\w$.])wordy[.(]"}


@pytest.fixture(scope="module")
def found() -> tuple[list[Use], list[str]]:
    """Parsing every source takes seconds, so it does not run while tests are collected."""
    return find_uses(PACKAGES)


def test_every_pattern_takes_linear_time(found):
    uses = [each for each in found[0] if not each.place.startswith(DEVELOPER_TOOLS)]
    slow = {use.id: find_slow_text(use) for use in uses}
    assert len(uses) > 150
    assert {place: text for place, text in slow.items() if text is not None} == {}


def test_every_pattern_is_found(found):
    places = {each.partition(":")[0] for each in found[1]} - set(DEVELOPER_TOOLS)
    assert places == set(BUILT_FROM_NAMES)


@pytest.mark.parametrize("pattern", BUILT_FROM_NAMES.values())
def test_pattern_built_from_a_name_takes_linear_time(pattern):
    assert find_slow_text(Use("", pattern, 0, "search")) is None


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"""\s*,\s*\[?\s*(["'])([^"']*)\1""", "match"),
        (rb"\bexpect\s*[({].*[)}]\.(?:to|not_to|to_not)\b|\bis_expected\.", "search"),
        (r"(?:Tests?|Test[A-Z]\w*)$", "search"),
        (r"/\*.*?\*/|\s+", "sub"),
        (r"(?:a+)+b", "match"),
    ],
)
def test_slow_patterns_are_detected(pattern, method):
    """Patterns of earlier releases, and the textbook example."""
    assert find_slow_text(Use("", pattern, 16, method))
