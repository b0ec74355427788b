"""Metrics of the task queue: its length, and how long the oldest work has waited."""

from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.utils import timezone
from kombu.exceptions import ChannelError
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from core.metrics.collectors import register_collector
from core.outbox.metrics import read_outboxes
from core.outbox.sweep import list_outboxes
from core.queue.enqueue import connect_broker


def read_queue() -> Iterable[Metric]:
    """Read the queue's length from the broker: LLEN in Redis, or a count of files in the embedded queue."""
    name = current_app.conf.task_default_queue
    with connect_broker() as broker:
        channel: Any = broker.default_channel
        try:
            depth = channel.queue_declare(name, passive=True).message_count
        except ChannelError:  # Redis deletes empty lists, so the queue is empty
            depth = 0
    return [GaugeMetricFamily("rsolv_queue_depth", "Tasks that no worker has taken up.", depth)]


def read_oldest_due() -> Iterable[Metric]:
    """Read how long the oldest due outbox row has waited for a worker.

    Brokers do not report the age of messages, and the outbox decides what is due anyway. A row is due from
    the time its task is enqueued until a worker claims it. So the age includes lost messages (until the sweep
    enqueues them again) and retries (up to SWEEP_SECONDS after their wait). One query per table, answered by
    the sweep's index.
    """
    now = timezone.now()
    rows = [each.list_due(now) for each in list_outboxes()]
    earliest = [
        each.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first() for each in rows
    ]
    waited = max(((now - each).total_seconds() for each in earliest if each), default=0)
    text = "How long the oldest work that is due has waited for a worker."
    return [GaugeMetricFamily("rsolv_queue_oldest_seconds", text, waited)]


def register_queue_collectors() -> None:
    register_collector("due", read_oldest_due)
    register_collector("outbox", lambda: read_outboxes(list_outboxes()))
    register_collector("queue", read_queue, service="queue")
