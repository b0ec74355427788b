"""Staff turn something off, and on again."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.models import FeatureFlag
from core.queue.enqueue import enqueue_on_commit
from customers.models import User

log = structlog.get_logger(__name__)


@transaction.atomic
def set_feature_flag(
    *, name: FeatureFlag.Name, is_on: bool, reason: str, changed_by: User | None, at: datetime
) -> FeatureFlag:
    """Turn a switch; it works from the commit on. Turned on, a sweep hands out what has piled up."""
    switch, _ = FeatureFlag.objects.update_or_create(
        name=name,
        defaults={"is_on": is_on, "reason": reason[:300], "changed_by": changed_by, "changed_at": at},
    )
    log.warning("billing_switch_turned", switch=str(name), is_on=is_on, reason=reason)
    if is_on:
        enqueue_on_commit("billing.tasks.sweep_billing")
    return switch
