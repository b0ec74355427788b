import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import json_structure
from core.api.json_structure import TooDeep, TooMuch, check_structure

MEGABYTES = 8 * 1024 * 1024
NAMES = st.text('"\\[{,', max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\[]{},é😀\n'),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('"\\[{,', max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


def check(text, *, values=500_000, containers=150_000, levels=100):
    check_structure(text, most_values=values, most_containers=containers, most_levels=levels)


def find_depth(value):
    if isinstance(value, dict | list):
        return 1 + max(map(find_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def count_containers(value):
    if isinstance(value, dict | list):
        return 1 + sum(map(count_containers, value.values() if isinstance(value, dict) else value))
    return 0


class TestCheckStructure:
    @given(VALUES, st.booleans(), st.integers(1, 9))
    def test_ignores_brackets_inside_strings(self, value, is_ascii, window):
        text = json.dumps([value], ensure_ascii=is_ascii).encode()
        depth, containers = find_depth([value]), count_containers([value])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_structure, "WINDOW", window)
            check(text, levels=depth, containers=containers)
            with pytest.raises(TooDeep):
                check(text, levels=depth - 1)
            with pytest.raises(TooMuch):
                check(text, containers=containers - 1)

    @pytest.mark.parametrize(
        "unit",
        [
            "{},",
            "[],",
            "0,",
            '"",',
            '"a":1,',
            "[" * 90 + "]" * 90 + ",",
            '{"a":' * 90 + "0" + "}" * 90,
            ",",
            "[",
        ]
        + ['"[",'],
    )
    def test_rejects_millions_of_values_before_parsing(self, unit):
        text = (unit * (MEGABYTES // len(unit))).encode()
        tracemalloc.start()
        with pytest.raises((TooMuch, TooDeep)):
            check(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2 * MEGABYTES

    @pytest.mark.parametrize("unit", ['\\"[', "\\\\", "[{,", "\\u005b"])
    def test_accepts_millions_of_brackets_in_a_string(self, unit):
        check(('["' + unit * (MEGABYTES // len(unit) - 9) + '"]').encode())

    def test_accepts_8_mb_of_typical_findings(self):
        finding = {
            "type": "sql_injection",
            "severity": "high",
            "file": "app/controllers/orders_controller.rb",
            "line": 42,
            "description": "User input reaches a query.",
            "cwe": "CWE-89",
            "confidence": 0.9,
        }
        one = json.dumps(finding, separators=(",", ":"))
        check(f"[{','.join([one] * (MEGABYTES // len(one)))}]".encode())
