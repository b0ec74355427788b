"""Signals of phases, for apps above this one."""

from datetime import datetime
from typing import TypedDict

from django.dispatch import Signal

from .models import PhaseExecution


class PhaseCompleted(TypedDict):
    """Arguments of `phase_completed`."""

    execution: PhaseExecution
    occurred_at: datetime


# Sent once per phase, at its first success, in the transaction that stores the result: a receiver's database
# work is committed with the result or not at all, and a receiver that raises rolls back both.
# Sender: PhaseExecution. Arguments: PhaseCompleted.
phase_completed = Signal()
