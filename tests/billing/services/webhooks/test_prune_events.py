import json
from datetime import timedelta

import pytest
from django.utils import timezone
from djstripe.models import Event, IdempotencyKey, WebhookEndpoint, WebhookEventTrigger

from billing.models import InboxEvent, UsageClaim
from billing.services.webhooks import prune_events as module
from billing.services.webhooks.process_webhook import replay_webhook
from billing.services.webhooks.prune_events import prune_events
from tests.billing.billing_env import post_webhook
from tests.billing.ledger import report_fixes
from tests.factories import RepositoryFactory

BODY = json.dumps({"id": "evt_1", "object": "event", "type": "moon.risen", "data": {"object": {}}})


def keep_event(event_id="evt_1", *, days, is_processed=True):
    then = timezone.now() - timedelta(days=days)
    return InboxEvent.objects.create(
        event_id=event_id,
        event_type="moon.risen",
        payload=BODY,
        received_at=then,
        **({"status": "processed", "processed_at": then, "next_attempt_at": None} if is_processed else {}),
    )


def prune():
    return prune_events(at=timezone.now())


@pytest.mark.django_db
class TestPruneEvents:
    @pytest.mark.parametrize(("days", "left"), [(89, BODY), (91, "")])
    def test_empties_bodies_older_than_the_setting(self, days, left):
        event = keep_event(days=days)
        prune()
        event.refresh_from_db()
        assert event.payload == left

    def test_deletes_claims_that_expired_unused_a_week_ago(self):
        now, repository = timezone.now(), RepositoryFactory()
        customer = repository.forge_account.customer
        for issue, (days, used_at) in enumerate([(8, None), (6, None), (8, now)], 1):
            UsageClaim.objects.create(
                customer=customer,
                repository=repository,
                issue_number=issue,
                expires_at=now - timedelta(days=days),
                used_at=used_at,
            )
        assert prune().claims == 1
        assert sorted(UsageClaim.objects.values_list("issue_number", flat=True)) == [2, 3]

    def test_keeps_unprocessed_events(self):
        keep_event(days=400, is_processed=False)
        assert prune().bodies == 0
        assert InboxEvent.objects.get().payload == BODY

    def test_recognizes_a_duplicate_years_later(self):
        WebhookEndpoint.objects.create(
            id="we_1", url="https://rsolv.test", secret="whsec_one", enabled_events=["*"], status="enabled"
        )
        keep_event(days=400)
        prune()
        assert post_webhook(BODY).status_code == 200
        assert InboxEvent.objects.get().payload == ""

    def test_does_not_replay_a_pruned_event(self):
        event = keep_event(days=400)
        prune()
        replay_webhook(event_id=event.pk, at=timezone.now())
        event.refresh_from_db()
        assert event.processed_at is not None

    def test_prunes_in_many_batches(self, monkeypatch):
        monkeypatch.setattr(module, "BATCH", 2)
        for number in range(5):
            keep_event(f"evt_{number}", days=100)
        assert prune().bodies == 5
        assert prune().bodies == 0

    def test_deletes_old_idempotency_keys(self):
        for action in ("old", "young"):
            IdempotencyKey.objects.create(action=action, livemode=False)
        IdempotencyKey.objects.filter(action="old").update(created=timezone.now() - timedelta(days=100))
        assert prune().keys == 1
        assert IdempotencyKey.objects.get().action == "young"

    def test_deletes_old_deliveries_that_dj_stripe_kept(self):
        old, young = (WebhookEventTrigger.objects.create(remote_ip="127.0.0.1", headers={}) for _ in range(2))
        WebhookEventTrigger.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=100))
        assert prune().triggers == 1
        assert WebhookEventTrigger.objects.get() == young


class TestLedgerIsKept:
    def test_is_never_changed(self, billing_env, customer):
        report_fixes(customer, 2)
        billing_env.deliver()
        Event.objects.create(id="evt_old", livemode=False, data={}, stripe_data={})
        Event.objects.update(djstripe_created=timezone.now() - timedelta(days=1000))
        kept = customer.usage_records.count(), customer.usage_reports.count()
        assert prune_events(at=timezone.now() + timedelta(days=1000)).events > 0
        assert (customer.usage_records.count(), customer.usage_reports.count()) == kept == (2, 2)

    def test_and_the_account_are_unchanged_by_a_replay_of_every_event(self, billing_env, customer):
        billing_env.deliver()
        for event in InboxEvent.objects.all():
            with billing_env.run_tasks():
                replay_webhook(event_id=event.pk, at=timezone.now())
        assert not InboxEvent.objects.filter(processed_at=None).exists()
        assert billing_env.account(customer).status == "active"
