import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from billing.models import UsageRecord, UsageReport
from billing.services.metering.record_usage import record_usage
from tests.factories import (
    BillingAccountFactory,
    CustomerFactory,
    MitigationFactory,
    UsageRecordFactory,
    make_mitigation_of,
)


def record(execution):
    return record_usage(customer=execution.customer, execution=execution, occurred_at=timezone.now())


@pytest.mark.django_db
class TestRecordUsage:
    def test_a_trial_fix_is_free_and_not_reported(self):
        usage = record(MitigationFactory())
        assert (usage.coverage, usage.unit_price_cents) == ("trial", 0)
        assert not UsageReport.objects.exists()

    @pytest.mark.parametrize(("plan", "price"), [("payg", 1500), ("teams", 800)])
    def test_stores_the_plan_and_unit_price_of_its_time(self, plan, price):
        execution = MitigationFactory()
        BillingAccountFactory(customer=execution.customer, plan=plan, status="active")
        usage = record(execution)
        assert (usage.plan, usage.unit_price_cents, usage.coverage) == (plan, price, "metered")
        assert usage.report.status == "pending"

    def test_the_same_repository_and_issue_is_recorded_once(self):
        execution = MitigationFactory()
        assert record(execution).pk == record(execution).pk
        assert UsageRecord.objects.count() == 1

    @pytest.mark.parametrize("status", ["canceled", "unpaid"])
    def test_a_fix_without_a_plan_to_bill_it_to_is_never_billed(self, status):
        execution = MitigationFactory()
        BillingAccountFactory(customer=execution.customer, plan="payg", status=status)
        assert record(execution).coverage == "unbilled"

    def test_a_late_payment_does_not_stop_metering(self):
        execution = MitigationFactory()
        BillingAccountFactory(customer=execution.customer, plan="payg", status="past_due")
        assert record(execution).coverage == "metered"

    def test_a_fix_beyond_the_trial_is_kept_and_never_billed(self):
        customer = CustomerFactory()
        BillingAccountFactory(customer=customer, trial_fixes_limit=1)
        coverages = [record(make_mitigation_of(customer)).coverage for _ in range(2)]
        assert coverages == ["trial", "unbilled"]


@pytest.mark.django_db
class TestLedgerIsAppendOnly:
    def test_the_database_rejects_an_update(self):
        UsageRecordFactory()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            UsageRecord.objects.update(unit_price_cents=1)

    @pytest.mark.services
    def test_the_database_rejects_a_delete(self):
        UsageRecordFactory()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            UsageRecord.objects.all().delete()

    def test_the_database_rejects_a_second_fix_of_an_issue(self):
        first = UsageRecordFactory()
        with pytest.raises(DatabaseError), transaction.atomic():
            UsageRecordFactory(execution=first.execution)

    def test_the_database_rejects_a_metered_trial(self):
        with pytest.raises(DatabaseError), transaction.atomic():
            UsageRecordFactory(coverage="metered", plan="trial")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_fixes_use_exactly_the_remaining_slots():
    customer = CustomerFactory()
    BillingAccountFactory(customer=customer, trial_fixes_limit=3)
    executions = [make_mitigation_of(customer) for _ in range(12)]
    start = threading.Barrier(len(executions))

    def run(execution):
        start.wait()
        record(execution)
        connections.close_all()

    threads = [threading.Thread(target=run, args=(execution,)) for execution in executions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connection.vendor == "postgresql"
    assert UsageRecord.objects.filter(coverage="trial").count() == 3
    assert UsageRecord.objects.filter(coverage="unbilled").count() == 9
