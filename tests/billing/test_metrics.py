import json

import pytest
from django.utils import timezone

from billing.models import InboxEvent, UsageReport
from billing.services.metering.record_usage import record_usage
from billing.services.metering.report_usage import report_usage
from billing.services.webhooks.process_webhook import process_webhook
from tests.billing.billing_env import post_webhook
from tests.core.metrics.pages import Growth
from tests.factories import CustomerFactory, make_mitigation_of
from tests.outbox import make_due


def reported(outcome):
    return Growth("rsolv_billing_usage_reported_total", outcome=outcome)


def processed(outcome):
    return Growth("rsolv_billing_webhooks_processed_total", outcome=outcome)


def record(customer):
    execution = make_mitigation_of(customer)
    return record_usage(customer=customer, execution=execution, occurred_at=timezone.now())


def send(usage):
    make_due(UsageReport.objects.filter(pk=usage.pk))
    report_usage(usage_id=usage.pk)


class TestUsage:
    def test_is_counted_by_coverage(self, db, django_capture_on_commit_callbacks):
        recorded = Growth("rsolv_billing_usage_recorded_total", plan="trial", coverage="trial")
        with django_capture_on_commit_callbacks(execute=True):
            usage = record(CustomerFactory())
            record_usage(customer=usage.customer, execution=usage.execution, occurred_at=timezone.now())
        assert recorded.so_far == 1

    def test_is_reported_once_after_attempts_that_were_rescheduled(self, billing_env):
        done, rescheduled = reported("reported"), reported("rescheduled")
        usage = record(billing_env.subscribe("payg"))
        billing_env.stripe.control.add_fault(
            "status", status=500, path="/v1/billing/meter_events", times=None
        )
        send(usage)
        send(usage)
        billing_env.stripe.control.clear_faults()
        send(usage)
        send(usage)
        assert (rescheduled.so_far, done.so_far) == (2, 1)

    def test_that_is_found_on_the_meter_is_settled(self, billing_env):
        settled, done = reported("settled"), reported("reported")
        usage = record(billing_env.subscribe("payg"))
        billing_env.stripe.control.add_fault("cut_after", path="/v1/billing/meter_events", times=None)
        send(usage)
        billing_env.stripe.control.clear_faults()
        billing_env.pass_time(days=2)
        with billing_env.run_tasks():
            send(usage)
        assert (settled.so_far, done.so_far) == (1, 0)


class TestWebhooks:
    def test_are_counted_once_however_often_they_arrive(self, billing_env):
        received = Growth("rsolv_billing_webhooks_received_total", type="customer.updated")
        done, lag = processed("processed"), Growth("rsolv_billing_webhook_lag_seconds_count")
        subject = {"id": "cus_1", "object": "customer"}
        event = {"id": "evt_1", "object": "event", "type": "customer.updated", "data": {"object": subject}}
        billing_env.deliver(events=[event, event])
        process_webhook(event_id="evt_1")
        assert (received.so_far, done.so_far, lag.so_far) == (1, 1, 1)

    def test_have_no_label_for_unsubscribed_types(self, billing_env):
        other = Growth("rsolv_billing_webhooks_received_total", type="other")
        with billing_env.run_tasks():
            post_webhook(json.dumps({"id": "evt_1", "object": "v2.core.event", "type": "moon.risen"}))
        assert other.so_far == 1

    @pytest.mark.parametrize(("failures", "outcome"), [(0, "rescheduled"), (11, "failed")])
    def test_that_fail_are_counted_as_rescheduled_or_parked(self, billing_env, failures, outcome):
        counted = processed(outcome)
        fields = {"event_type": "customer.updated", "payload": '{"object": "event"}'}
        InboxEvent.objects.create(event_id="evt_1", **fields, failures=failures)
        with billing_env.run_tasks():
            process_webhook(event_id="evt_1")
        assert counted.so_far == 1


class TestPayments:
    def test_are_counted_when_they_succeed(self, billing_env):
        paid = Growth("rsolv_billing_payments_total", outcome="paid")
        billing_env.subscribe("teams")
        billing_env.deliver()
        assert paid.so_far == 1

    def test_are_counted_when_they_fail(self, billing_env):
        failed = Growth("rsolv_billing_payments_total", outcome="failed")
        billing_env.subscribe("teams")
        for method in billing_env.stripe.control.objects("payment_method"):
            billing_env.stripe.control.set_card(method["id"], "insufficient_funds")
        billing_env.close_month()
        assert failed.so_far > 0
