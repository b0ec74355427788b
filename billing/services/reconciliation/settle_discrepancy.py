"""Mark a discrepancy as settled, on behalf of staff."""

from datetime import datetime
from uuid import UUID

import structlog

from billing.models import Discrepancy

log = structlog.get_logger(__name__)


def settle_discrepancy(*, discrepancy_id: UUID, at: datetime) -> bool:
    """Resolve an open discrepancy and return whether it was open. Commits; safe to repeat.

    If the difference still exists, the next run records it again.
    """
    still_open = Discrepancy.objects.filter(pk=discrepancy_id, state=Discrepancy.State.OPEN)
    was_open = still_open.update(state=Discrepancy.State.RESOLVED, settled_at=at) == 1
    log.info("discrepancy_settled", discrepancy=str(discrepancy_id), was_open=was_open)
    return was_open
