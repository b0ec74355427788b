"""Turn a feature flag on or off, on behalf of staff."""

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
    """Set a feature flag, effective on commit; turning it on enqueues a sweep of the backlog.

    `changed_by` is None when a command sets it. Safe to repeat.
    """
    flag, _ = FeatureFlag.objects.update_or_create(
        name=name,
        defaults={"is_on": is_on, "reason": reason[:300], "changed_by": changed_by, "changed_at": at},
    )
    log.warning("feature_flag_set", flag=str(name), is_on=is_on, reason=reason)
    if is_on:
        enqueue_on_commit("billing.tasks.sweep_billing")
    return flag
