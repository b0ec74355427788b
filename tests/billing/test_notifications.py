import pytest

from billing.models import Notification
from billing.notifications import NOTIFICATION_TYPES, describe_notification

INSTANT = "2026-03-07T00:00:00+00:00"


def read(kind, data):
    words = describe_notification(kind, data)
    return " ".join((words.title, *words.paragraphs, words.button))


class TestDescribeNotification:
    def test_has_words_for_every_kind(self):
        assert set(NOTIFICATION_TYPES) == set(Notification.Kind.values)

    @pytest.mark.parametrize("kind", Notification.Kind.values)
    def test_has_text_without_any_data(self, kind):
        words = describe_notification(kind, {})
        assert words.title and words.button and all(words.paragraphs)
        assert "None" not in read(kind, {})

    @pytest.mark.parametrize(
        ("kind", "data", "said"),
        [
            ("included", {"plan": "teams", "percent": 50, "period_end": INSTANT}, "until 7 Mar 2026"),
            ("included", {"plan": "teams", "percent": 50, "unit_price_cents": 700}, "costs $7"),
            ("included", {"plan": "teams", "percent": 50}, "costs the plan's price"),
            ("included", {"plan": "trial", "percent": 50}, "Choose a plan"),
            ("cap", {"percent": 80, "spent_cents": 4000, "cap_cents": 5000}, "$40.00 of the $50.00"),
            ("cap", {"percent": 100}, "Your spend cap is reached"),
            ("payment_failed", {"amount_cents": 1500, "grace_ends_at": INSTANT}, "until 7 Mar 2026"),
            ("payment_failed", {"amount_cents": 1500, "invoice": "A-1"}, "$15.00 for invoice A-1"),
            ("action_required", {"amount_cents": 100, "currency": "eur"}, "1.00 EUR"),
            (
                "plan_changed",
                {"plan": "teams", "monthly_price_cents": 45000, "included": 50, "unit_price_cents": 700},
                "$450 a month with 50 fixes; each beyond them $7.",
            ),
            ("plan_changed", {"plan": "payg", "unit_price_cents": 1200}, "A fix costs $12."),
            ("plan_changed", {"plan": "payg", "cancel_at": INSTANT}, "ends on 7 Mar 2026"),
            ("plan_changed", {"plan": "trial"}, "Choose a plan"),
            ("corrected", {"kind": "void", "coverage": "trial"}, "free again"),
            ("corrected", {"kind": "credit", "coverage": "trial"}, "It was free."),
            (
                "corrected",
                {"kind": "credit", "coverage": "metered", "reason": "Wrong."},
                "The reason: Wrong.",
            ),
            ("refunded", {"amount_cents": 1500}, "$15.00"),
        ],
    )
    def test_states_what_happened_and_what_to_do(self, kind, data, said):
        assert said in read(kind, data)

    def test_links_to_the_invoice_when_there_is_one(self):
        assert describe_notification("blocked", {"page_url": "https://pay"}).address == "https://pay"

    @pytest.mark.parametrize("kind", ["included", "plan_changed"])
    def test_quotes_no_current_price(self, kind):
        assert "$" not in read(kind, {"plan": "teams", "percent": 50})
