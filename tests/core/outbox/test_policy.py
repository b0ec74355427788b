from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.utils.module_loading import import_string
from hypothesis import given
from hypothesis import strategies as st

from core.outbox.admin import OutboxFilter
from core.outbox.policy import Policy
from core.outbox.sweep import list_outboxes

NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


class TestScheduleRetry:
    @given(failures=st.integers(0, 10**9), longest=st.integers(15, 10_000))
    def test_waits_a_bounded_time(self, failures, longest):
        policy = Policy(task="", longest_wait=timedelta(seconds=longest))
        wait = policy.schedule_retry(failures=failures, now=NOW) - NOW
        assert timedelta(seconds=11) < wait <= timedelta(seconds=longest) * 1.25

    def test_adds_jitter(self):
        policy = Policy(task="")
        assert len({policy.schedule_retry(failures=3, now=NOW) for _ in range(20)}) > 10


@pytest.mark.parametrize("model", list_outboxes(), ids=lambda model: model.__name__)
class TestEveryOutbox:
    def test_has_a_task(self, model):
        assert import_string(model.policy.task).name == model.policy.task

    def test_has_an_admin_page_with_filter_and_action(self, model):
        page = admin.site.get_model_admin(model)
        assert page.list_filter[0] is OutboxFilter
        assert "retry_now" in page.actions
