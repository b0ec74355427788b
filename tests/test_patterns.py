"""Every regular expression of the sources takes time that grows with the text and no faster."""

import pytest

from tests.patterns import Use, find_slow_text, find_uses

PACKAGES = ("billing", "customers", "phases", "provisioning", "rsolv")
# They read files that a developer names, never a customer's.
OF_DEVELOPERS = (
    "phases/test_integration/measure/corpus.py",
    "phases/test_integration/measure/ranking_bench.py",
)
# Whose pattern is made of a name: it is searched once, as written here with a name in it.
MADE_OF_NAMES = {"phases/test_integration/languages/javascript/style.py": rb"(?<![\w$.])wordy[.(]"}

FOUND, UNREAD = find_uses(PACKAGES)
USES = [each for each in FOUND if not each.place.startswith(OF_DEVELOPERS)]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.id)
def test_a_pattern_takes_linear_time(use):
    assert find_slow_text(use) is None


def test_every_pattern_is_looked_at():
    places = {each.partition(":")[0] for each in UNREAD} - set(OF_DEVELOPERS)
    assert places == set(MADE_OF_NAMES)


@pytest.mark.parametrize("pattern", MADE_OF_NAMES.values())
def test_a_pattern_made_of_a_name_takes_linear_time(pattern):
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
def test_a_slow_pattern_is_found(pattern, method):
    """Those that this code once had, and the one of every textbook."""
    assert find_slow_text(Use("", pattern, 16, method))
