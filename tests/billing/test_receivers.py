from billing import receivers
from billing.models import UsageRecord
from tests.factories import CustomerFactory, make_mitigation_of


class TestRecordCompletedMitigation:
    def test_records_a_mitigation(self, db):
        execution = make_mitigation_of(CustomerFactory())
        receivers.record_completed_mitigation(execution=execution, occurred_at=execution.created_at)
        assert UsageRecord.objects.get().execution == execution

    def test_ignores_other_phases(self, db):
        customer = CustomerFactory()
        execution = make_mitigation_of(customer)
        execution.phase = "SCAN"
        receivers.record_completed_mitigation(execution=execution, occurred_at=execution.created_at)
        assert not UsageRecord.objects.exists()
