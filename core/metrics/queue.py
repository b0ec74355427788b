"""How much waits for a worker, and for how long."""

from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.utils import timezone
from kombu.exceptions import ChannelError
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from core.metrics.collectors import register_collector
from core.outbox import list_outboxes
from core.outbox.metrics import read_outboxes
from core.queue.enqueue import connect_broker


def read_queue() -> Iterable[Metric]:
    """How long the queue is, as the broker says: Redis by LLEN, the embedded way by its files."""
    name = current_app.conf.task_default_queue
    with connect_broker() as broker:
        channel: Any = broker.default_channel
        try:
            depth = channel.queue_declare(name, passive=True).message_count
        except ChannelError:  # Redis keeps no empty list
            depth = 0
    return [GaugeMetricFamily("rsolv_queue_depth", "Tasks that no worker has taken up.", depth)]


def read_oldest_due() -> Iterable[Metric]:
    """For how long the oldest row that is due has waited for a worker.

    A broker does not say how old its messages are, and the rows are the queue's truth: one is due from when
    its task is handed out, and no longer once a worker has it. A message that was lost counts too, until the
    sweep hands it out again; so do retries, up to SWEEP_SECONDS after their wait is over. Per kind of row
    the earliest, from the index that the sweep uses.
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
