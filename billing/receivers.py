"""Receivers of other apps' signals. Stripe's webhooks are handled in `services/webhooks/handlers.py`."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from billing.services.metering.record_usage import record_usage
from phases.models import PhaseExecution
from phases.signals import phase_completed


@receiver(phase_completed, dispatch_uid="record_usage")
def record_completed_mitigation(execution: PhaseExecution, occurred_at: datetime, **_: Any) -> None:
    if execution.phase == PhaseExecution.Phase.MITIGATION:
        record_usage(customer=execution.customer, execution=execution, occurred_at=occurred_at)
