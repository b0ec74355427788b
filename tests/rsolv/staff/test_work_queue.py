"""The front page of the staff admin: rows that need a decision by staff."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from billing.models import BillingAccount, Discrepancy, PaymentIncident
from core.admin.work_queue import Tone, WorkQueueEntry, list_entries, list_work
from core.outbox.models import OutboxRow
from tests.outbox import parked
from tests.rows import make_row
from tests.rsolv.portal.markup import read_page
from tests.staff import make_staff, open_staff_browser

STAFF = "/staff/"
EMPTY = "Nothing needs a person."
# The fields with which a row of a model needs a decision. Rows of the outbox are parked.
ROWS: dict[type[models.Model], dict[str, Any]] = {
    PaymentIncident: {"kind": "dispute", "status": "needs_response"},
    Discrepancy: {"state": "open"},
    BillingAccount: {"paused_at": timezone.now() - timedelta(days=2)},
}


def make_waiting(entry: WorkQueueEntry) -> models.Model:
    row = make_row(entry.model)
    fields = ROWS.get(entry.model) or parked() | {"lease_owner": None, "lease_ends_at": None}
    # An UPDATE, because no service and no clock brings a row of any model into this state.
    entry.model._base_manager.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return row


def count_queries(browser: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        browser.get(STAFF)
    return len([each for each in queries if "COUNT" in each["sql"] and "MIN" in each["sql"]])


@pytest.mark.parametrize("entry", list_entries(), ids=lambda entry: entry.label)
class TestEntry:
    def test_links_to_a_list_that_shows_its_row(self, staff: Client, entry: WorkQueueEntry) -> None:
        row = make_waiting(entry)
        page = staff.get(STAFF).text
        (work,) = list_work(may_view=lambda model: model is entry.model)
        assert work.count == 1 and work.oldest_at is not None
        assert escape(entry.label) in page and escape(work.url) in page
        found = staff.get(work.url)
        assert found.status_code == 200
        assert [each.pk for each in found.context_data["cl"].queryset] == [row.pk]

    def test_links_to_a_list_without_other_rows(self, staff: Client, entry: WorkQueueEntry) -> None:
        make_waiting(entry)
        (work,) = list_work(may_view=lambda model: model is entry.model)
        entry.model._base_manager.update(**self.end(entry))
        assert list(staff.get(work.url).context_data["cl"].queryset) == []
        assert list_work(may_view=lambda model: model is entry.model) == []

    def end(self, entry: WorkQueueEntry) -> dict[str, Any]:
        if not issubclass(entry.model, OutboxRow):
            done: dict[type[models.Model], dict[str, Any]] = {
                PaymentIncident: {"status": "won"},
                Discrepancy: {"state": "resolved"},
                BillingAccount: {"paused_at": None},
            }
            return done[entry.model]
        return {"status": "pending", "parked_at": None, "next_attempt_at": timezone.now()}

    def test_is_hidden_from_staff_who_may_not_view_its_rows(self, db: None, entry: WorkQueueEntry) -> None:
        make_waiting(entry)
        page = open_staff_browser(make_staff("customers.view_user")).get(STAFF).text
        assert escape(entry.label) not in page and EMPTY in page


class TestFrontPage:
    def test_reports_an_empty_queue(self, staff: Client) -> None:
        page = staff.get(STAFF).text
        assert EMPTY in page
        read_page(page)

    def test_lists_the_most_urgent_first(self, staff: Client) -> None:
        for entry in reversed(list_entries()):
            make_waiting(entry)
        tones = [work.tone for work in staff.get(STAFF).context_data["work"]]
        assert tones == sorted(tones, key=list(Tone).index)

    def test_counts_each_entry_in_one_query(self, staff: Client) -> None:
        before = count_queries(staff)
        for entry in list_entries():
            make_waiting(entry)
        assert before == count_queries(staff) == len(list_entries())

    def test_runs_no_query_for_rows_that_staff_may_not_view(self, db: None) -> None:
        browser = open_staff_browser(make_staff("billing.view_usagereport", "customers.view_user"))
        assert count_queries(browser) == 1

    def test_covers_every_table_of_the_outbox(self) -> None:
        outboxes = {model for model in apps.get_models() if issubclass(model, OutboxRow)}
        assert outboxes <= {entry.model for entry in list_entries()}
