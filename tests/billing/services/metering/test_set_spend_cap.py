import pytest
from django.utils import timezone

from billing.models import BillingAccount
from billing.services.metering.set_spend_cap import InvalidSpendCap, set_spend_cap
from customers.models import AuditLogEntry
from tests.factories import CustomerFactory


def set_cap(customer, cents):
    set_spend_cap(customer=customer, cap_cents=cents, at=timezone.now())
    return BillingAccount.objects.get(customer=customer).spend_cap_cents


@pytest.mark.django_db
class TestSetSpendCap:
    @pytest.mark.parametrize("cents", [0, 5000, None])
    def test_stores_the_cap(self, cents):
        assert set_cap(CustomerFactory(), cents) == cents

    def test_removes_the_cap(self):
        customer = CustomerFactory()
        set_cap(customer, 5000)
        assert set_cap(customer, None) is None

    def test_audits_a_change_only_when_the_cap_differs(self):
        customer = CustomerFactory()
        for cents in (None, 5000, 5000, None):
            set_cap(customer, cents)
        written = AuditLogEntry.objects.filter(customer=customer, action="cap_changed").order_by("at")
        assert [entry.subject for entry in written] == ["$50", "removed"]

    @pytest.mark.parametrize("cents", [-1, 100_000_001])
    def test_rejects_an_amount_out_of_range(self, cents):
        with pytest.raises(InvalidSpendCap) as rejection:
            set_cap(CustomerFactory(), cents)
        assert "cap" in rejection.value.fields
