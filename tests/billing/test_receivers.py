import json
from types import SimpleNamespace

import pytest
from django.utils import timezone
from djstripe.models import PaymentMethod, Price, WebhookEndpoint

from billing import receivers, services, stripe_gateway
from billing.models import InboxEvent, UsageRecord
from billing.plans import PAYG, TEAMS
from tests.billing.world import post_webhook
from tests.factories import CustomerFactory, make_mitigation_of


def find_failures():
    return list(InboxEvent.objects.filter(processed_at=None).values_list("event_type", "last_error"))


def open_page(customer):
    return services.start_checkout(
        customer=customer, plan=TEAMS, return_url="https://rsolv.test/", at=timezone.now()
    )


def find_fix_price():
    return stripe_gateway.find_price_ids(PAYG)["payg_fix"]


class TestEveryKindOfNews:
    def test_is_processed_without_a_failure(self, world):
        customer = world.subscribe("teams")
        world.deliver()
        charge = world.stripe.control.objects("charge")[0]["id"]
        stripe_gateway.get_client().v1.refunds.create({"charge": charge, "amount": 100})
        world.stripe.control.dispute(charge)
        services.cancel_plan(customer=customer)
        world.deliver(events=world.stripe.control.events())  # also those that we do not ask for
        assert find_failures() == []

    def test_of_a_type_that_we_do_not_know_is_kept(self, world):
        subject = {"id": "moon_1", "object": "moon"}
        event = {"id": "evt_moon", "object": "event", "type": "moon.risen", "data": {"object": subject}}
        with world.run_tasks():
            answer = post_webhook(json.dumps(event | {"created": 1, "livemode": False}))
        assert (answer.status_code, InboxEvent.objects.get().event_type) == (200, "moon.risen")


class TestPaymentMethods:
    def test_are_mirrored_and_let_go(self, world):
        world.subscribe("payg")
        world.deliver()
        method = PaymentMethod.objects.get()
        stripe_gateway.get_client().v1.payment_methods.detach(method.id)
        world.deliver()
        method.refresh_from_db()
        assert method.customer is None
        assert find_failures() == []


class TestPrices:
    def test_are_mirrored(self, world):
        price = stripe_gateway.get_client().v1.prices.list({"limit": 1}).data[0]
        stripe_gateway.get_client().v1.prices.update(price.id, {"nickname": "Fix"})
        world.deliver(events=world.stripe.control.events("price.updated"))
        assert Price.objects.get(id=price.id).stripe_data["nickname"] == "Fix"


class TestCustomers:
    def test_one_that_is_deleted_at_stripe_is_let_go(self, world):
        customer = world.subscribe("payg")
        world.deliver()
        deleted = world.account(customer).stripe_customer_id
        stripe_gateway.get_client().v1.customers.delete(deleted)
        world.deliver()
        account = world.account(customer)
        assert (account.status, account.stripe_customer_id, account.subscription_id) == (
            "canceled",
            None,
            None,
        )
        assert find_failures() == []

    def test_late_news_of_a_deleted_one_does_not_bring_it_back(self, world):
        customer = world.subscribe("payg")
        world.deliver()
        deleted = world.account(customer).stripe_customer_id
        client = stripe_gateway.get_client().v1.customers
        client.update(deleted, {"name": "New name"})
        client.delete(deleted)
        (late,) = world.stripe.control.events("customer.updated")[-1:]
        world.deliver(events=world.stripe.control.events("customer.deleted"))
        world.deliver(events=[late])
        assert world.account(customer).stripe_customer_id is None

    def test_who_comes_back_gets_a_new_one(self, world):
        customer = world.subscribe("payg")
        stripe_gateway.get_client().v1.customers.delete(world.account(customer).stripe_customer_id)
        world.deliver()
        world.subscribe("teams", customer=customer)
        assert world.account(customer).status == "active"

    def test_one_that_is_not_ours_is_nobodys(self, world):
        services.forget_stripe_customer(stripe_customer_id="cus_nobodys")
        services.follow_payment(stripe_customer_id="cus_nobodys", at=world.now())


class TestWhatIsNoPlansNews:
    @pytest.mark.parametrize("parent", [None, {}, {"subscription_details": None}])
    def test_an_invoice_of_no_subscription_asks_nothing_of_stripe(self, world, parent):
        invoice = {"id": "in_1", "customer": "cus_1", "parent": parent}
        before = len(world.stripe.control.requests())
        receivers.follow_invoice(event=SimpleNamespace(data={"object": invoice}))
        assert len(world.stripe.control.requests()) == before

    def test_a_visit_to_checkout_without_a_subscription_asks_nothing_of_stripe(self, world):
        session = {"id": "cs_1", "customer": "cus_1", "subscription": None}
        before = len(world.stripe.control.requests())
        receivers.follow_checkout(event=SimpleNamespace(data={"object": session}))
        assert len(world.stripe.control.requests()) == before

    def test_a_refund_of_no_charge_asks_nothing_of_stripe(self, world):
        refund = {"id": "re_1", "charge": None}
        before = len(world.stripe.control.requests())
        receivers.follow_refund(event=SimpleNamespace(data={"object": refund}))
        assert len(world.stripe.control.requests()) == before


class TestCheckout:
    def test_that_is_paid_closes_what_else_was_open(self, world):
        customer = CustomerFactory()
        open_page(customer)
        stripe_customer_id = world.account(customer).stripe_customer_id
        first = world.stripe.control.objects("checkout.session")[0]["id"]
        page = {"success_url": "https://rsolv.test/", "line_items": [{"price": find_fix_price()}]}
        stripe_gateway.get_client().v1.checkout.sessions.create(
            {"mode": "subscription", "customer": stripe_customer_id, **page}
        )
        world.stripe.control.complete_checkout(first)
        world.deliver()
        states = [each["status"] for each in world.stripe.control.objects("checkout.session")]
        assert (states, find_failures()) == (["complete", "expired"], [])


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


class TestRegisterWebhook:
    def test_an_endpoint_that_is_known_is_asked_for_what_we_want_today(self, world):
        endpoint = WebhookEndpoint.objects.get()
        stripe_gateway.get_client().v1.webhook_endpoints.update(
            endpoint.id, {"enabled_events": ["charge.failed"]}
        )
        WebhookEndpoint.objects.update(enabled_events=["charge.failed"])
        assert stripe_gateway.register_webhook(endpoint.url) == endpoint.id
        kept = world.stripe.control.objects("webhook_endpoint")
        assert [set(each["enabled_events"]) for each in kept] == [set(stripe_gateway.WEBHOOK_EVENTS)]
        assert WebhookEndpoint.objects.get().secret == endpoint.secret

    def test_repeating_it_asks_nothing(self, world):
        before = len(world.stripe.control.requests())
        stripe_gateway.register_webhook(WebhookEndpoint.objects.get().url)
        assert len(world.stripe.control.requests()) == before
