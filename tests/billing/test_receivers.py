from billing import receivers
from billing.models import UsageRecord
from tests.factories import CustomerFactory, make_mitigation_of


class TestRecordCompletedMitigation:
    def test_enters_a_mitigation_into_the_ledger(self, db):
        execution = make_mitigation_of(CustomerFactory())
        receivers.record_completed_mitigation(execution=execution, occurred_at=execution.created_at)
        assert UsageRecord.objects.get().execution == execution

    def test_listens_to_mitigations_only(self, db):
        customer = CustomerFactory()
        execution = make_mitigation_of(customer)
        execution.phase = "SCAN"
        receivers.record_completed_mitigation(execution=execution, occurred_at=execution.created_at)
        assert not UsageRecord.objects.exists()
