import inspect
import json

import pytest
from django.utils import timezone
from djstripe.models import PaymentMethod, Price, WebhookEndpoint
from structlog.testing import capture_logs

from billing.metrics import PAYMENT_EVENTS
from billing.models import InboxEvent, Notification
from billing.plans import PAYG, TEAMS
from billing.services.payments.sync_payment_state import sync_payment_state
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.refresh_account import unlink_stripe_customer
from billing.services.subscriptions.start_checkout import start_checkout
from billing.services.webhooks import handlers as webhook_handlers
from billing.services.webhooks.handlers import ENDPOINT_EVENTS, HANDLERS
from billing.services.webhooks.process_webhook import replay_webhook
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.prices import find_price_ids
from billing.stripe_gateway.webhooks import METER_ERROR, register_webhook
from tests.billing.billing_env import post_webhook
from tests.billing.ledger import report_fixes
from tests.factories import CustomerFactory

# What changes an account, and so derives it: once for each event.
DERIVING = ("sync_subscription", "sync_invoice_payment", "sync_checkout")
# The kind of object that an event type is about, where that is not what it begins with.
KINDS = {"charge.dispute": "dispute", "checkout": "checkout.session", "customer.subscription": "subscription"}


def find_failures():
    return list(InboxEvent.objects.filter(processed_at=None).values_list("event_type", "last_error"))


def open_page(customer):
    return start_checkout(customer=customer, plan=TEAMS, return_url="https://rsolv.test/", at=timezone.now())


def make_sample(billing_env, event_type):
    """Return an event of a type, as Stripe would send it, about an object of the sandbox."""
    prefix = event_type.rpartition(".")[0]
    kind = KINDS.get(prefix) or KINDS.get(prefix.partition(".")[0], prefix)
    subjects = [
        event["data"]["object"]
        for event in billing_env.stripe.control.events()
        if event["data"]["object"].get("object") == kind
    ]
    assert subjects, f"The scenario has no {kind}: let it make one, so that {event_type} is tried."
    event = {"id": "evt_sample", "object": "event", "type": event_type, "data": {"object": subjects[-1]}}
    return event | {"created": 1, "livemode": False, "api_version": "2026-08-26.dahlia"}


def count_reads_and_refreshes(billing_env, event):
    """Return how many subscriptions are fetched and how many accounts are refreshed for one event."""
    before = len(billing_env.stripe.control.requests())
    with capture_logs() as lines:
        billing_env.deliver(events=[event])
    calls = billing_env.stripe.control.requests()[before:]
    reads = [each for each in calls if each["method"] == "GET" and "/subscriptions" in each["path"]]
    return len(reads), sum(line["event"] == "account_refreshed" for line in lines)


@pytest.fixture
def scenario(billing_env):
    """Create objects of every kind for a customer at Stripe, without delivering their events."""
    customer = billing_env.subscribe("teams")
    charge = billing_env.stripe.control.objects("charge")[0]["id"]
    get_client().v1.refunds.create({"charge": charge, "amount": 100})
    billing_env.stripe.control.dispute(charge)
    stripe_customer_id = billing_env.account(customer).stripe_customer_id
    page = {"success_url": "https://rsolv.test/", "line_items": [{"price": find_fix_price()}]}
    session = get_client().v1.checkout.sessions.create(
        {"mode": "subscription", "customer": stripe_customer_id, **page}
    )
    get_client().v1.checkout.sessions.expire(session.id)
    return customer


class TestHandlerTable:
    def test_lists_every_handler(self):
        defined = {
            function
            for _, function in inspect.getmembers(webhook_handlers, inspect.isfunction)
            if function.__module__ == webhook_handlers.__name__ and function.__name__ != "handle_webhook"
        }
        assert defined == set(HANDLERS.values())

    def test_has_every_event_that_is_counted_as_a_payment(self):
        assert set(PAYMENT_EVENTS) <= set(HANDLERS)

    def test_matches_what_the_endpoint_and_the_destination_subscribe_to(self):
        destination = webhook_handlers.DESTINATION_EVENTS
        assert sorted((*ENDPOINT_EVENTS, *destination)) == sorted(HANDLERS)
        assert destination == (METER_ERROR,)


@pytest.mark.usefixtures("scenario")
class TestEveryEventType:
    @pytest.mark.parametrize("event_type", ENDPOINT_EVENTS)
    def test_reads_the_subscription_and_syncs_the_account_once(self, billing_env, event_type):
        work = count_reads_and_refreshes(billing_env, make_sample(billing_env, event_type))
        assert find_failures() == []
        is_deriving = HANDLERS[event_type].__name__ in DERIVING
        is_of_subscription = is_deriving and not event_type.startswith("checkout")
        assert work == ((1, 1) if is_of_subscription else (0, 0))

    @pytest.mark.parametrize("event_type", ENDPOINT_EVENTS)
    def test_changes_nothing_the_second_time(self, billing_env, scenario, event_type):
        billing_env.deliver(events=[make_sample(billing_env, event_type)])
        before = read_state(billing_env, scenario)
        with billing_env.run_tasks():
            replay_webhook(event_id="evt_sample", at=timezone.now())
        assert (read_state(billing_env, scenario), find_failures()) == (before, [])


def read_state(billing_env, customer):
    account = billing_env.account(customer)
    state = {name: value for name, value in vars(account).items() if name not in ("_state", "updated_at")}
    return state, sorted(Notification.objects.values_list("kind", "reference"))


class TestFailedPayment:
    def test_syncs_the_account_once_for_each_of_its_events(self, billing_env):
        customer = billing_env.subscribe("teams")
        billing_env.deliver()
        method = billing_env.stripe.control.objects("payment_method")[0]["id"]
        billing_env.stripe.control.set_card(method, "insufficient_funds")
        billing_env.stripe.control.advance(days=31, hours=2)
        for event_type in ("invoice.payment_failed", "customer.subscription.updated"):
            (event,) = billing_env.stripe.control.events(event_type)[-1:]
            assert count_reads_and_refreshes(billing_env, event) == (1, 1)
        assert (billing_env.account(customer).status, find_failures()) == ("past_due", [])


class TestPaidCheckout:
    def test_reads_its_subscription_once(self, billing_env):
        customer = CustomerFactory()
        open_page(customer)
        (session,) = billing_env.stripe.control.objects("checkout.session")
        billing_env.stripe.control.complete_checkout(session["id"])
        (event,) = billing_env.stripe.control.events("checkout.session.completed")
        assert count_reads_and_refreshes(billing_env, event) == (1, 1)
        assert billing_env.account(customer).status == "active"


class TestMeterError:
    def test_is_handed_to_its_service(self, billing_env, customer):
        (report,) = report_fixes(customer, 1)
        thin = billing_env.stripe.control.report_meter_error(identifier=report.identifier)
        sent = {name: value for name, value in thin.items() if name != "data"}
        billing_env.deliver(events=[sent])
        report.refresh_from_db()
        assert (report.status, find_failures()) == ("parked", [])


class TestEventsWithoutSubscription:
    @pytest.mark.parametrize("parent", [None, {}, {"subscription_details": None}])
    def test_an_invoice_syncs_no_account(self, billing_env, parent):
        invoice = {"id": "in_1", "object": "invoice", "customer": "cus_1", "parent": parent}
        assert count_reads_and_refreshes(billing_env, make_event("invoice.paid", invoice)) == (0, 0)

    def test_a_checkout_syncs_no_account(self, billing_env):
        session = {"id": "cs_1", "object": "checkout.session", "customer": "cus_1", "subscription": None}
        assert count_reads_and_refreshes(billing_env, make_event("checkout.session.completed", session)) == (
            0,
            0,
        )

    def test_a_refund_without_a_charge_makes_no_stripe_call(self, billing_env):
        before = len(billing_env.stripe.control.requests())
        billing_env.deliver(
            events=[make_event("refund.updated", {"id": "re_1", "object": "refund", "charge": None})]
        )
        assert (len(billing_env.stripe.control.requests()), find_failures()) == (before, [])

    def test_an_object_missing_at_stripe_is_no_failure(self, billing_env):
        for event_type, kind in (("price.updated", "price"), ("payment_method.detached", "payment_method")):
            billing_env.deliver(events=[make_event(event_type, {"id": "gone", "object": kind})])
        assert find_failures() == []


def make_event(event_type, subject):
    return {"id": f"evt_{event_type}", "object": "event", "type": event_type, "data": {"object": subject}}


def find_fix_price():
    return find_price_ids(PAYG)["payg_fix"]


class TestAllEventsTogether:
    def test_is_processed_without_a_failure(self, billing_env):
        customer = billing_env.subscribe("teams")
        billing_env.deliver()
        charge = billing_env.stripe.control.objects("charge")[0]["id"]
        get_client().v1.refunds.create({"charge": charge, "amount": 100})
        billing_env.stripe.control.dispute(charge)
        cancel_plan(customer=customer)
        billing_env.deliver(events=billing_env.stripe.control.events())  # also those that we do not ask for
        assert find_failures() == []

    def test_of_an_unknown_type_is_stored(self, billing_env):
        subject = {"id": "moon_1", "object": "moon"}
        event = {"id": "evt_moon", "object": "event", "type": "moon.risen", "data": {"object": subject}}
        with billing_env.run_tasks():
            answer = post_webhook(json.dumps(event | {"created": 1, "livemode": False}))
        assert (answer.status_code, InboxEvent.objects.get().event_type) == (200, "moon.risen")


class TestPaymentMethods:
    def test_are_mirrored_and_detached(self, billing_env):
        billing_env.subscribe("payg")
        billing_env.deliver()
        method = PaymentMethod.objects.get()
        get_client().v1.payment_methods.detach(method.id)
        billing_env.deliver()
        method.refresh_from_db()
        assert method.customer is None
        assert find_failures() == []


class TestPrices:
    def test_are_mirrored(self, billing_env):
        price = get_client().v1.prices.list({"limit": 1}).data[0]
        get_client().v1.prices.update(price.id, {"nickname": "Fix"})
        billing_env.deliver(events=billing_env.stripe.control.events("price.updated"))
        assert Price.objects.get(id=price.id).stripe_data["nickname"] == "Fix"


class TestCustomers:
    def test_deleted_at_stripe_is_unlinked(self, billing_env, customer):
        billing_env.deliver()
        deleted = billing_env.account(customer).stripe_customer_id
        get_client().v1.customers.delete(deleted)
        billing_env.deliver()
        account = billing_env.account(customer)
        assert (account.status, account.stripe_customer_id, account.subscription_id) == (
            "canceled",
            None,
            None,
        )
        assert find_failures() == []

    def test_a_late_event_does_not_restore_a_deleted_one(self, billing_env, customer):
        billing_env.deliver()
        deleted = billing_env.account(customer).stripe_customer_id
        client = get_client().v1.customers
        client.update(deleted, {"name": "New name"})
        client.delete(deleted)
        (late,) = billing_env.stripe.control.events("customer.updated")[-1:]
        billing_env.deliver(events=billing_env.stripe.control.events("customer.deleted"))
        billing_env.deliver(events=[late])
        assert billing_env.account(customer).stripe_customer_id is None

    def test_a_returning_customer_gets_a_new_one(self, billing_env, customer):
        get_client().v1.customers.delete(billing_env.account(customer).stripe_customer_id)
        billing_env.deliver()
        billing_env.subscribe("teams", customer=customer)
        assert billing_env.account(customer).status == "active"

    def test_an_unknown_one_is_linked_to_no_customer(self, billing_env):
        unlink_stripe_customer(stripe_customer_id="cus_nobodys")
        sync_payment_state(stripe_customer_id="cus_nobodys", at=billing_env.now())


class TestCheckout:
    def test_that_is_paid_expires_other_open_sessions(self, billing_env):
        customer = CustomerFactory()
        open_page(customer)
        stripe_customer_id = billing_env.account(customer).stripe_customer_id
        first = billing_env.stripe.control.objects("checkout.session")[0]["id"]
        page = {"success_url": "https://rsolv.test/", "line_items": [{"price": find_fix_price()}]}
        get_client().v1.checkout.sessions.create(
            {"mode": "subscription", "customer": stripe_customer_id, **page}
        )
        billing_env.stripe.control.complete_checkout(first)
        billing_env.deliver()
        states = [each["status"] for each in billing_env.stripe.control.objects("checkout.session")]
        assert (states, find_failures()) == (["complete", "expired"], [])


class TestRegisterWebhook:
    def test_updates_the_events_of_an_existing_endpoint(self, billing_env):
        endpoint = WebhookEndpoint.objects.get()
        get_client().v1.webhook_endpoints.update(endpoint.id, {"enabled_events": ["charge.failed"]})
        WebhookEndpoint.objects.update(enabled_events=["charge.failed"])
        assert register_webhook(endpoint.url, event_types=ENDPOINT_EVENTS) == endpoint.id
        kept = billing_env.stripe.control.objects("webhook_endpoint")
        assert [set(each["enabled_events"]) for each in kept] == [set(ENDPOINT_EVENTS)]
        assert WebhookEndpoint.objects.get().secret == endpoint.secret

    def test_makes_no_call_when_repeated(self, billing_env):
        before = len(billing_env.stripe.control.requests())
        register_webhook(WebhookEndpoint.objects.get().url, event_types=ENDPOINT_EVENTS)
        assert len(billing_env.stripe.control.requests()) == before
