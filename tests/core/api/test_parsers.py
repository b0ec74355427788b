import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import parsers
from core.api.parsers import MAX_MEMBERS, MalformedJSON, read_json_object

TEXT = st.text(alphabet='a"\\/é😀\n\t', max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


HALVES = [
    "\\u0000",
    "\\ud83d",
    "\\ude00",
    "\\ude00\\ud83d",
    "\\ud83d\\ud83d\\ude00",
    "\\ud83d\\ude00\\ude00",
    "\\ud83dx\\ude00",
    "\\ud83d\\\\\\ude00",
    "\\\\\\u0000",
    "\\\\\\ud83d",
    "\\ud83d\\\\ude00",
]


class TestReadJsonObject:
    @given(st.dictionaries(TEXT, VALUES), st.sampled_from([None, 1]), st.booleans())
    def test_reads_the_same_as_the_json_module(self, value, indent, is_ascii):
        body = ("\n" + json.dumps(value, indent=indent, ensure_ascii=is_ascii) + " ").encode()
        found = read_json_object(body)
        assert found.members == value
        assert {name: json.loads(found.slice(name)) for name in value} == value

    @pytest.mark.parametrize("value", ["1e5", "1.50", "[ 1 ,2]", '"\\u00e9é"', '{"b":1,"a":{ }}', "null"])
    @pytest.mark.parametrize("before", ["", '"x":1,', '"é😀" : "é😀" , ', '"data":7,'])
    def test_slice_returns_the_source_text_of_a_value(self, value, before):
        body = f'{{ {before} "data" :\t{value}\n, "y": "é"}}'.encode()
        assert read_json_object(body).slice("data") == value

    @pytest.mark.parametrize(
        "body",
        ["", " ", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{,}", '{"a" 1}', '{"a":1 "b":2}']
        + [
            '{"a":1}}',
            '{"a":1} x',
            "{a:1}",
            "{'a':1}",
            '{"a":01}',
            '{"a":"\n"}',
            '{"a":[}',
            '{"a":+1}',
            "{1:2}",
        ]
        + ['{"a":"\\x"}', '{"a":tru}', '{"a":1}\x0b', "\ufeff{}"],  # codespell:ignore tru
    )
    def test_rejects_the_same_as_the_json_module(self, body):
        with pytest.raises(ValueError):
            json.loads(body.encode().decode())
        with pytest.raises(MalformedJSON):
            read_json_object(body.encode())

    @pytest.mark.parametrize(
        "text", ["\\ud83d\\ude00", "\\\\ud83d", "\\\\u0000", "\\u0001", "\\uD83D\\uDE00\\uD83D\\uDE00"]
    )
    def test_accepts_escaped_complete_characters(self, text):
        body = f'{{"a":"{text}"}}'.encode()
        assert read_json_object(body).members == json.loads(body)

    @pytest.mark.parametrize("text", HALVES)
    def test_rejects_nul_and_lone_surrogates(self, text):
        for body in (f'{{"a":"{text}"}}', f'{{"{text}":1}}', f'{{"a":"{text}","a":1}}'):
            with pytest.raises(MalformedJSON):
                read_json_object(body.encode())

    @pytest.mark.parametrize("text", HALVES)
    def test_accepts_nul_and_lone_surrogates_in_a_verbatim_member(self, text):
        value = f'["{text}", {{"{text}": "é"}}]'
        read = read_json_object(f'{{"ö": 1, "a": {value} }}'.encode(), verbatim=frozenset({"a"}))
        assert read.slice("a") == value
        kept = read.members["a"][0]
        assert "\0" not in kept and kept.encode() and "\ufffd" in kept

    @pytest.mark.parametrize("text", HALVES)
    def test_rejects_nul_and_lone_surrogates_beside_a_verbatim_member(self, text):
        for members in (f'"b":"{text}","a":1', f'"a":1,"b":"{text}"', f'"a":"{text}","a":1', f'"{text}":1'):
            with pytest.raises(MalformedJSON):
                read_json_object(f"{{{members}}}".encode(), verbatim=frozenset({"a"}))

    def test_rejects_an_object_with_too_many_members(self):
        read_json_object(json.dumps(dict.fromkeys(map(str, range(MAX_MEMBERS)))).encode())
        with pytest.raises(MalformedJSON):
            read_json_object(json.dumps(dict.fromkeys(map(str, range(MAX_MEMBERS + 1)))).encode())
        with pytest.raises(MalformedJSON):
            read_json_object(b'{"a":1' + b',"a":1' * MAX_MEMBERS + b"}")

    @pytest.mark.parametrize("inside", ["[" * 101 + "]" * 101, "[]," * 150_001 + "[]", "0," * 500_001 + "0"])
    def test_rejects_too_deep_or_too_large_before_parsing(self, inside, monkeypatch):
        monkeypatch.setattr(parsers, "_Reader", None)
        with pytest.raises(MalformedJSON):
            read_json_object(f'{{"data":[{inside}]}}'.encode())
