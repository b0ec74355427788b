import pytest

from billing.models import Notification, PaymentIncident
from billing.selectors.invoices import list_invoices
from billing.stripe_gateway.client import get_client


@pytest.fixture
def charge(billing_env):
    customer = billing_env.subscribe("teams")
    billing_env.deliver()
    found = billing_env.stripe.control.objects("charge")[0]
    return {**found, "ours": customer}


def refund(charge, amount):
    return get_client().v1.refunds.create({"charge": charge["id"], "amount": amount})


class TestRefund:
    def test_is_recorded_and_notified(self, billing_env, charge):
        refund(charge, 500)
        billing_env.deliver()
        incident, notification = PaymentIncident.objects.get(), Notification.objects.get(kind="refunded")
        invoice = billing_env.stripe.control.objects("invoice")[0]
        assert (incident.kind, incident.amount_cents, incident.status) == ("refund", 500, "succeeded")
        assert (incident.customer, incident.invoice) == (charge["ours"], invoice["id"])
        assert notification.data == {"amount_cents": 500, "currency": "usd", "invoice": invoice["number"]}

    def test_is_notified_once_each_in_any_order(self, billing_env, charge):
        refund(charge, 500)
        refund(charge, 700)
        events = billing_env.stripe.control.events("charge.refunded")
        billing_env.deliver(events=[*events[::-1], *events])
        assert sorted(PaymentIncident.objects.values_list("amount_cents", flat=True)) == [500, 700]
        assert Notification.objects.filter(kind="refunded").count() == 2

    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    def test_is_read_again_when_it_changes(self, billing_env, charge, status):
        made = refund(charge, 500)
        billing_env.deliver()
        store = billing_env.stripe.env.store
        store.replace(store.get("refund", made.id), status=status)
        get_client().v1.refunds.update(made.id, {"metadata": {"seen": "late"}})
        billing_env.deliver()
        assert PaymentIncident.objects.get().status == status
        (invoice,) = list_invoices(customer=charge["ours"], limit=1)
        assert invoice.refunded_cents == (500 if status == "succeeded" else 0)


class TestDispute:
    @pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
    def test_is_recorded_in_its_current_state(self, billing_env, charge, won, status):
        dispute = billing_env.stripe.control.dispute(charge["id"])
        billing_env.deliver()
        assert PaymentIncident.objects.get().status == "needs_response"
        billing_env.stripe.control.close_dispute(dispute["id"], won=won)
        billing_env.deliver()
        incident = PaymentIncident.objects.get()
        assert (incident.kind, incident.status, incident.reason) == ("dispute", status, "fraudulent")

    def test_an_old_event_does_not_restore_an_old_state(self, billing_env, charge):
        dispute = billing_env.stripe.control.dispute(charge["id"])
        billing_env.stripe.control.close_dispute(dispute["id"], won=True)
        events = [
            each for each in billing_env.stripe.control.events() if each["type"].startswith("charge.dispute")
        ]
        billing_env.deliver(events=events[::-1])
        assert PaymentIncident.objects.get().status == "won"
