from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from core.formats import format_cents, format_date, format_exact, format_relative
from rsolv.portal.templatetags.elements import cents

NOW = datetime(2026, 3, 7, 14, 5, tzinfo=UTC)


class TestFormatCents:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [(0, "$0.00"), (5, "$0.05"), (123450, "$1,234.50"), (-1500, "-$15.00"), (100000000, "$1,000,000.00")],
    )
    def test_groups_thousands_and_keeps_two_places(self, amount: int, text: str) -> None:
        assert format_cents(amount) == text

    def test_is_used_by_the_template_filter(self) -> None:
        assert cents(123450) == "$1,234.50"

    def test_short_form_omits_zero_cents(self) -> None:
        assert [format_cents(n, is_short=True) for n in (49900, 850)] == ["$499", "$8.50"]

    def test_names_other_currencies(self) -> None:
        assert format_cents(123450, currency="eur") == "1,234.50 EUR"


class TestFormatRelative:
    @pytest.mark.parametrize(
        ("ago", "text"),
        [
            (timedelta(seconds=59), "just now"),
            (timedelta(seconds=60), "1 minute ago"),
            (timedelta(minutes=59), "59 minutes ago"),
            (timedelta(hours=23), "23 hours ago"),
            (timedelta(hours=24), "1 day ago"),
            (timedelta(days=30), "30 days ago"),
            (timedelta(days=31), "4 Feb 2026"),
            (timedelta(seconds=-5), "just now"),
            (timedelta(days=-1), "8 Mar 2026"),
        ],
    )
    def test_uses_the_largest_unit(self, ago: timedelta, text: str) -> None:
        assert format_relative(NOW - ago, now=NOW) == text


class TestFormatDate:
    def test_is_the_day_in_utc(self) -> None:
        assert format_date(datetime.fromisoformat("2026-03-07T23:30:00-05:00")) == "8 Mar 2026"

    def test_exact_has_the_minute(self) -> None:
        assert format_exact(NOW) == "7 Mar 2026, 14:05 UTC"

    @pytest.mark.parametrize(
        ("zone", "text"),
        [("Asia/Tokyo", "8 Mar 2026, 04:05 JST"), ("America/Sao_Paulo", "7 Mar 2026, 16:05 UTC-03")],
    )
    def test_uses_the_active_time_zone(self, zone: str, text: str) -> None:
        with timezone.override(zone):
            assert format_exact(NOW + timedelta(hours=5)) == text
