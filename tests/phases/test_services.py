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
def signals():
    received = []

    def listen(execution, occurred_at, **_):
        received.append((execution.phase, execution.issue_number, occurred_at))

    phase_completed.connect(listen)
    yield received
    phase_completed.disconnect(listen)


@pytest.mark.django_db
class TestStorePhase:
    def test_sends_a_signal_with_the_time_of_completion(self, signals):
        store_phase(customer=CustomerFactory(), report=make_report({"fixed": True}), at=AT)
        assert signals == [("mitigation", 7, AT)]

    def test_repetition_changes_nothing_and_sends_no_signal(self, signals):
        customer = CustomerFactory()
        first = store_phase(customer=customer, report=make_report({"fixed": True}), at=AT)
        again = store_phase(
            customer=customer, report=make_report({"fixed": True}), at=AT + timedelta(hours=1)
        )
        assert (again.pk, again.updated_at) == (first.pk, AT)
        assert len(signals) == 1

    def test_failure_that_later_succeeds_sends_one_signal(self, signals):
        customer = CustomerFactory()
        for data in ({"success": False, "error": "x"}, {"success": True}, {"success": True, "attempts": 2}):
            store_phase(customer=customer, report=make_report(data), at=AT)
        assert len(signals) == 1
        assert PhaseExecution.objects.get().outcome == "succeeded"

    def test_failure_sends_no_signal(self, signals):
        store_phase(
            customer=CustomerFactory(), report=make_report({"success": True, "testsPass": False}), at=AT
        )
        assert signals == []
        assert PhaseExecution.objects.get().outcome == "unverified"

    def test_failing_receiver_rolls_back_the_result(self):
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
def test_concurrent_runners_store_one_row_and_bill_one_fix(signals):
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
    assert len(signals) == 1
    assert UsageRecord.objects.count() == 1
