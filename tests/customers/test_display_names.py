import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.display_names import clean_for_mail, has_link


class TestCleanForMail:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Acme Ltd", "Acme Ltd"),
            ("Müller & Söhne GmbH", "Müller & Söhne GmbH"),
            ("株式会社アクメ", "株式会社アクメ"),
            ("Acme Inc.", "Acme Inc."),
            ("J.P. Morgan", "J.P. Morgan"),
            ("St. John's", "St. John's"),
            ("booking.com", "booking com"),
            ("Pay at https://evil.test/now", "Pay at evil test/now"),
            ("call ceo@evil.test today", "call ceo evil test today"),
            ("call ceo＠evil．test", "call ceo evil test"),
            ("evil。test", "evil test"),
            ("www.evil.co.uk", "www evil co uk"),
            ("a\r\nBcc: all", "a Bcc: all"),
            ("a\u2028b\u2029c\x00d", "a b c d"),
            ("\u202ercod.evil\u202c", "rcod evil"),
            ("e\u200bvil\u2060.test", "evil test"),
            ("mailto:x", "x"),
            ("10.1.2.3", "10 1.2.3"),
            ('"Acme" <b>', "'Acme' <b>"),
        ],
    )
    def test_keeps_names_and_removes_links(self, name, shown):
        assert clean_for_mail(name) == shown

    def test_truncates_at_the_limit(self):
        assert clean_for_mail("x" * 200) == "x" * 59 + "…"
        assert clean_for_mail("x" * 200, limit=10) == "x" * 9 + "…"

    @given(st.text(max_size=300))
    def test_is_one_short_line_without_an_address(self, name):
        shown = clean_for_mail(name)
        assert len(shown) <= 60
        assert "@" not in shown
        assert all(unicodedata.category(each) not in {"Cc", "Cf", "Zl", "Zp"} for each in shown)

    @given(st.text(alphabet="ab.:/@\u3002 \u200b1\u0301", max_size=80))
    def test_is_idempotent(self, name):
        assert clean_for_mail(clean_for_mail(name)) == clean_for_mail(name)


class TestHasLink:
    @pytest.mark.parametrize(
        "name", ["see https://evil.test", "www.evil.test", "ceo@evil.test", "a ceo＠evil.test"]
    )
    def test_detects_links_and_addresses(self, name):
        assert has_link(name)

    @pytest.mark.parametrize(
        "name", ["Acme Ltd", "booking.com", "A@Home", "Node.js people", "@acme", "R&D: core"]
    )
    def test_accepts_names(self, name):
        assert not has_link(name)
