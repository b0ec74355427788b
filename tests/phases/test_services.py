import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from billing.models import UsageRecord
from phases.models import PhaseExecution
from phases.services.store_phase import PhaseReport, store_phase
from phases.signals import phase_completed
from tests.factories import CustomerFactory

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_report(data, **changes):
    fields = {
        "phase": "mitigation",
        "namespace": "acme",
        "repository_name": "shop",
        "commit_sha": "abc",
        "issue_number": 7,
        "branch": "",
        "data": data,
        "data_text": json.dumps(data),
    }
    return PhaseReport(**(fields | changes))


@pytest.fixture
def heard():
    told = []

    def listen(execution, occurred_at, **_):
        told.append((execution.phase, execution.issue_number, occurred_at))

    phase_completed.connect(listen)
    yield told
    phase_completed.disconnect(listen)


@pytest.mark.django_db
class TestStorePhase:
    def test_announces_a_completion_with_its_instant(self, heard):
        store_phase(customer=CustomerFactory(), report=make_report({"fixed": True}), at=AT)
        assert heard == [("mitigation", 7, AT)]

    def test_repeating_it_changes_and_announces_nothing(self, heard):
        customer = CustomerFactory()
        first = store_phase(customer=customer, report=make_report({"fixed": True}), at=AT)
        again = store_phase(
            customer=customer, report=make_report({"fixed": True}), at=AT + timedelta(hours=1)
        )
        assert (again.pk, again.updated_at) == (first.pk, AT)
        assert len(heard) == 1

    def test_a_failure_that_later_succeeds_is_announced_once(self, heard):
        customer = CustomerFactory()
        for data in ({"success": False, "error": "x"}, {"success": True}, {"success": True, "attempts": 2}):
            store_phase(customer=customer, report=make_report(data), at=AT)
        assert len(heard) == 1
        assert PhaseExecution.objects.get().outcome == "succeeded"

    def test_a_failure_is_not_announced(self, heard):
        store_phase(
            customer=CustomerFactory(), report=make_report({"success": True, "testsPass": False}), at=AT
        )
        assert heard == []
        assert PhaseExecution.objects.get().outcome == "unverified"

    def test_a_receiver_that_raises_undoes_the_result(self):
        def fail(**_):
            raise RuntimeError

        phase_completed.connect(fail)
        try:
            with pytest.raises(RuntimeError):
                store_phase(customer=CustomerFactory(), report=make_report({"fixed": True}), at=AT)
        finally:
            phase_completed.disconnect(fail)
        assert not PhaseExecution.objects.exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_runners_that_race_on_one_issue_leave_one_row_one_announcement_one_fix(heard):
    customer = CustomerFactory()
    start = threading.Barrier(8)
    failures = []

    def run(number):
        start.wait()
        try:
            report = make_report({"success": True, "attempts": number}, commit_sha=f"commit-{number}")
            store_phase(customer=customer, report=report, at=AT)
        except Exception as error:
            failures.append(error)
        connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    stored = PhaseExecution.objects.get()
    assert stored.commit_sha == f"commit-{json.loads(stored.data)['attempts']}"
    assert len(heard) == 1
    assert UsageRecord.objects.count() == 1
