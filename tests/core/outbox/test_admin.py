from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import InboxEvent
from tests.outbox import parked

from .rows import make_row, read, take

PAGE = "admin:billing_inboxevent_changelist"


@pytest.fixture
def one_of_each(db):
    make_row("evt_due")
    make_row("evt_waiting", next_attempt_at=timezone.now() + timedelta(minutes=5))
    make_row("evt_leased")
    take("evt_leased")
    make_row("evt_parked", **parked())
    make_row("evt_done", status="processed", next_attempt_at=None)


class TestOutboxFilter:
    @pytest.mark.parametrize("progress", ["due", "waiting", "leased", "parked", "done"])
    def test_lists_the_rows_of_one_state(self, staff, one_of_each, progress):
        shown = staff.get(reverse(PAGE), {"progress": progress}).context["cl"].queryset
        assert [row.pk for row in shown] == [f"evt_{progress}"]

    def test_lists_all_rows_without_a_choice(self, staff, one_of_each):
        assert staff.get(reverse(PAGE)).context["cl"].queryset.count() == 5


class TestRetryNow:
    def run_action(self, browser):
        selected = list(InboxEvent.objects.values_list("pk", flat=True))
        browser.post(reverse(PAGE), {"action": "retry_now", "_selected_action": selected})

    def test_makes_waiting_and_parked_rows_due_only(self, staff, one_of_each):
        lease = read("evt_leased").lease_ends_at
        self.run_action(staff)
        due = InboxEvent.list_due(timezone.now()).order_by("pk").values_list("pk", flat=True)
        assert list(due) == ["evt_due", "evt_parked", "evt_waiting"]
        assert read("evt_leased").next_attempt_at == read("evt_leased").lease_ends_at == lease

    def test_is_denied_to_staff_with_view_permission_only(self, onlooker, one_of_each):
        self.run_action(onlooker)
        assert read("evt_parked").status == "parked"
