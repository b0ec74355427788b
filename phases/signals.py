"""What phases announce to whoever listens."""

from datetime import datetime
from typing import TypedDict

from django.dispatch import Signal

from .models import PhaseExecution


class PhaseCompleted(TypedDict):
    """The arguments of `phase_completed`."""

    execution: PhaseExecution
    occurred_at: datetime


# Sent once for each phase that succeeded, inside the transaction that stored its result: a receiver's
# database work is kept with the result or not at all, and a receiver that raises undoes both.
# Sender: PhaseExecution. Arguments: PhaseCompleted.
phase_completed = Signal()
