import pytest

from billing.models import Notice, PaymentIncident
from billing.selectors.invoices import list_invoices
from billing.stripe_gateway.client import get_client


@pytest.fixture
def charge(world):
    customer = world.subscribe("teams")
    world.deliver()
    found = world.stripe.control.objects("charge")[0]
    return {**found, "ours": customer}


def refund(charge, amount):
    return get_client().v1.refunds.create({"charge": charge["id"], "amount": amount})


class TestARefund:
    def test_is_noted_and_told(self, world, charge):
        refund(charge, 500)
        world.deliver()
        incident, notice = PaymentIncident.objects.get(), Notice.objects.get(kind="refunded")
        invoice = world.stripe.control.objects("invoice")[0]
        assert (incident.kind, incident.amount_cents, incident.status) == ("refund", 500, "succeeded")
        assert (incident.customer, incident.invoice) == (charge["ours"], invoice["id"])
        assert notice.data == {"amount_cents": 500, "currency": "usd", "invoice": invoice["number"]}

    def test_each_of_several_is_told_once_whatever_the_order(self, world, charge):
        refund(charge, 500)
        refund(charge, 700)
        events = world.stripe.control.events("charge.refunded")
        world.deliver(events=[*events[::-1], *events])
        assert sorted(PaymentIncident.objects.values_list("amount_cents", flat=True)) == [500, 700]
        assert Notice.objects.filter(kind="refunded").count() == 2

    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    def test_that_changes_later_is_read_anew(self, world, charge, status):
        made = refund(charge, 500)
        world.deliver()
        store = world.stripe.env.store
        store.replace(store.get("refund", made.id), status=status)
        get_client().v1.refunds.update(made.id, {"metadata": {"seen": "late"}})
        world.deliver()
        assert PaymentIncident.objects.get().status == status
        (invoice,) = list_invoices(customer=charge["ours"], limit=1)
        assert invoice.refunded_cents == (500 if status == "succeeded" else 0)


class TestADispute:
    @pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
    def test_is_noted_as_it_stands(self, world, charge, won, status):
        dispute = world.stripe.control.dispute(charge["id"])
        world.deliver()
        assert PaymentIncident.objects.get().status == "needs_response"
        world.stripe.control.close_dispute(dispute["id"], won=won)
        world.deliver()
        incident = PaymentIncident.objects.get()
        assert (incident.kind, incident.status, incident.reason) == ("dispute", status, "fraudulent")

    def test_old_news_does_not_bring_back_an_old_state(self, world, charge):
        dispute = world.stripe.control.dispute(charge["id"])
        world.stripe.control.close_dispute(dispute["id"], won=True)
        events = [each for each in world.stripe.control.events() if each["type"].startswith("charge.dispute")]
        world.deliver(events=events[::-1])
        assert PaymentIncident.objects.get().status == "won"
