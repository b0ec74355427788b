import json
import threading
from datetime import timedelta

import pytest
import stripe
from django.db import connections
from django.utils import timezone
from djstripe.models import Subscription, WebhookEndpoint

from billing.models import BillingAccount, InboxEvent
from billing.plans import PAYG
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.choose_plan import choose_plan
from billing.services.sweep_billing import sweep_billing
from billing.services.webhooks.handlers import HANDLERS
from billing.services.webhooks.process_webhook import process_webhook, replay_webhook
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from core.outbox import operators
from tests.billing.billing_env import WEBHOOK, post_webhook
from tests.core.metrics.pages import Growth
from tests.factories import CustomerFactory
from tests.outbox import make_due

SUBJECT = {"id": "cus_1", "object": "customer"}
EVENT = json.dumps(
    {"id": "evt_1", "object": "event", "type": "customer.updated", "data": {"object": SUBJECT}}
)


@pytest.fixture
def endpoint(db):
    return WebhookEndpoint.objects.create(
        id="we_1", url="https://rsolv.test", secret="whsec_one", enabled_events=["*"], status="enabled"
    )


@pytest.mark.usefixtures("endpoint")
class TestReceiveWebhook:
    def test_stores_a_signed_event(self):
        response = post_webhook(EVENT)
        assert (response.status_code, response.json()) == (200, {"status": "success"})
        assert InboxEvent.objects.get().payload == EVENT

    def test_a_duplicate_is_accepted_and_stored_once(self):
        assert [post_webhook(EVENT).status_code for _ in range(2)] == [200, 200]
        assert InboxEvent.objects.count() == 1

    def test_a_thin_event_is_stored_and_needs_no_processing(self):
        thin = json.dumps(
            {"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}
        )
        assert post_webhook(thin).status_code == 200
        process_webhook(event_id="evt_2")
        assert InboxEvent.objects.get().processed_at is not None

    def test_an_unknown_type_is_stored(self):
        assert post_webhook(EVENT.replace("customer.updated", "moon.risen")).status_code == 200

    @pytest.mark.parametrize("is_live", [True, False])
    @pytest.mark.parametrize("livemode", [True, False])
    @pytest.mark.parametrize("event_type", ["customer.updated", "v1.billing.meter.no_meter_found"])
    def test_an_event_of_the_other_mode_is_counted_and_not_stored(
        self, settings, is_live, livemode, event_type
    ):
        settings.STRIPE_LIVE_MODE = is_live
        rejected = Growth("rsolv_billing_other_mode_total", kind="event")
        event = json.loads(EVENT) | {"type": event_type, "livemode": livemode}
        assert post_webhook(json.dumps(event)).status_code == 200
        is_own = livemode is is_live
        assert (InboxEvent.objects.exists(), rejected.so_far) == (is_own, 0 if is_own else 1)

    @pytest.mark.parametrize("secret", ["whsec_wrong", ""])
    def test_a_wrong_signature_is_rejected_and_nothing_stored(self, secret):
        response = post_webhook(EVENT, secret=secret or "x")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert not InboxEvent.objects.exists()

    def test_a_missing_signature_is_rejected(self, client):
        assert client.post(WEBHOOK, EVENT, content_type="application/json").status_code == 400

    @pytest.mark.parametrize(("seconds", "status"), [(290, 200), (310, 400)])
    def test_an_old_signature_is_rejected_past_the_tolerance(self, seconds, status):
        assert post_webhook(EVENT, at=timezone.now() - timedelta(seconds=seconds)).status_code == status

    @pytest.mark.parametrize(("seconds", "status"), [(290, 200), (310, 400), (10**9, 400)])
    def test_a_future_signature_is_rejected_past_the_tolerance(self, seconds, status):
        assert post_webhook(EVENT, at=timezone.now() + timedelta(seconds=seconds)).status_code == status
        assert InboxEvent.objects.exists() is (status == 200)

    @pytest.mark.parametrize("form", ["t={ahead}=1", "t={ahead},t={now}", " t={now},t={ahead}", "t=+{ahead}"])
    def test_no_spelling_of_a_future_time_passes(self, client, form):
        now = int(timezone.now().timestamp())
        ahead = now + 1000
        good = stripe.WebhookSignature._compute_signature(f"{ahead}.{EVENT}", "whsec_one")
        header = f"{form.format(ahead=ahead, now=now)},v1={good}"
        response = client.post(
            WEBHOOK, EVENT, content_type="application/json", headers={"Stripe-Signature": header}
        )
        assert response.status_code == 400

    def test_one_valid_signature_of_several_is_enough(self, client):
        seconds = int(timezone.now().timestamp())
        good = stripe.WebhookSignature._compute_signature(f"{seconds}.{EVENT}", "whsec_one")
        header = f"t={seconds},v1={'0' * 64},v1={good}"
        response = client.post(
            WEBHOOK, EVENT, content_type="application/json", headers={"Stripe-Signature": header}
        )
        assert response.status_code == 200

    @pytest.mark.parametrize(
        "payload",
        [
            "not json",
            "[]",
            "{}",
            '{"id": 1}',
            '"text"',
            '{"id": null, "type": "x"}',
            '{"id": "evt_\\u0000", "type": "x"}',
            '{"id": "\\ud800", "type": "x"}',
            '{"id": "evt_1", "type": ["x"]}',
            "[" * 100_000 + "]" * 100_000,
        ],
        ids=lambda payload: payload[:30],
    )
    def test_a_signed_body_that_is_no_event_is_rejected(self, payload):
        assert post_webhook(payload).status_code == 400

    def test_other_methods_are_not_allowed(self, client):
        response = client.get(WEBHOOK)
        assert (response.status_code, response.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")

    def test_a_body_that_is_too_large_is_413(self):
        assert post_webhook("x" * 9 * 1024 * 1024).status_code == 413

    def test_costs_few_queries(self, django_assert_max_num_queries):
        with django_assert_max_num_queries(5):
            post_webhook(EVENT)


class TestProcessWebhook:
    def test_a_failure_is_rescheduled_and_then_waits_for_staff(self, endpoint, monkeypatch):
        def fail(event):
            raise StripeUnavailable("away")

        monkeypatch.setitem(HANDLERS, "customer.updated", fail)
        post_webhook(EVENT)
        for attempt in range(1, 13):
            make_due(InboxEvent.objects.all())
            process_webhook(event_id="evt_1")
            event = InboxEvent.objects.get()
            assert (event.attempts, event.last_error) == (attempt, "StripeUnavailable: away")
            assert (event.next_attempt_at is None) is (attempt == 12)

    def test_processes_again_what_staff_replay(self, billing_env, customer):
        billing_env.deliver()
        event = InboxEvent.objects.filter(event_type="customer.subscription.created").get()
        account = billing_env.account(customer)
        account.status = "unpaid"
        account.save()
        with billing_env.run_tasks():
            replay_webhook(event_id=event.pk, at=timezone.now())
        assert billing_env.account(customer).status == "active"

    def test_the_sweep_resumes_an_event_whose_worker_died(self, billing_env, customer):
        billing_env.deliver()
        operators.reopen(InboxEvent.objects.all(), at=timezone.now(), processed_at=None)
        billing_env.account(customer).__class__.objects.update(status="unpaid")
        with billing_env.run_tasks():
            sweep_billing()
        assert not InboxEvent.objects.filter(processed_at=None).exists()
        assert billing_env.account(customer).status == "active"


class TestOrder:
    @pytest.mark.parametrize("order", ["as sent", "reversed", "twice"])
    def test_the_state_is_the_same_in_any_order(self, billing_env, order):
        customer = CustomerFactory()
        billing_env.subscribe("payg", customer=customer)
        cancel_plan(customer=customer)
        events = billing_env.stripe.control.events()
        arranged = {"as sent": events, "reversed": events[::-1], "twice": events + events}[order]
        billing_env.deliver(events=arranged)
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "payg",
            "canceled",
        )


class TestConcurrentRefresh:
    @pytest.mark.services
    @pytest.mark.django_db(transaction=True)
    def test_does_not_overwrite_a_newer_one(self, stripe_sandbox, monkeypatch):
        """One worker has read the subscription but not written it when another learns that it ended."""
        sync_plans()
        customer = CustomerFactory()
        choose_plan(customer=customer, plan=PAYG, payment_method="pm_card_visa", at=timezone.now())
        account = BillingAccount.objects.get()
        updated, canceled = (make_event(account, name) for name in ("updated", "deleted"))
        slow = threading.Thread(target=process_in_thread, args=(updated,))
        has_read, may_write = threading.Event(), threading.Event()
        write = Subscription.sync_from_stripe_data

        def write_late(data, **options):
            if threading.current_thread() is slow:
                has_read.set()
                may_write.wait(5)
            return write(data, **options)

        monkeypatch.setattr(Subscription, "sync_from_stripe_data", write_late)
        slow.start()
        assert has_read.wait(5)
        get_client().v1.subscriptions.cancel(account.subscription_id)
        threading.Timer(0.5, may_write.set).start()
        process_webhook(event_id=canceled)
        may_write.set()
        slow.join()
        account.refresh_from_db()
        assert account.status == "canceled"


def make_event(account, name):
    """Return an event as Stripe would send it. Only its customer matters, because handlers fetch the rest."""
    subject = {
        "id": account.subscription_id,
        "object": "subscription",
        "customer": account.stripe_customer_id,
    }
    event_type = f"customer.subscription.{name}"
    payload = {"id": f"evt_{name}", "object": "event", "type": event_type, "data": {"object": subject}}
    payload |= {
        "created": int(timezone.now().timestamp()),
        "livemode": False,
        "api_version": "2026-08-26.dahlia",
    }
    InboxEvent.objects.create(event_id=payload["id"], event_type=event_type, payload=json.dumps(payload))
    return payload["id"]


def process_in_thread(event_id):
    process_webhook(event_id=event_id)
    connections.close_all()
