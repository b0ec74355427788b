"""Who calls the API, as far as every request needs to know it. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key that is good until `expires_at` (unix seconds; None: for ever), and whose it is."""

    key_id: UUID
    customer_id: UUID
    expires_at: float | None

    def is_good(self, at: datetime) -> bool:
        return self.expires_at is None or at.timestamp() < self.expires_at


def encode(caller: Caller) -> str:
    return json.dumps([caller.key_id.hex, caller.customer_id.hex, caller.expires_at])


def decode(text: bytes) -> Caller:
    key_id, customer_id, expires_at = json.loads(text)
    return Caller(UUID(key_id), UUID(customer_id), expires_at)
