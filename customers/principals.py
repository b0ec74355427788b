"""Who calls the API, as far as every request needs to know it. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ApiPrincipal:
    """An API key that is good until `expires_at` (unix seconds; None: for ever), and whose it is.

    The limits are those of the customer or its plan; None: what everybody has.
    """

    key_id: UUID
    customer_id: UUID
    expires_at: float | None
    requests_per_minute: int | None = None
    test_integration_per_minute: int | None = None

    def is_good(self, at: datetime) -> bool:
        return self.expires_at is None or at.timestamp() < self.expires_at


def encode(caller: ApiPrincipal) -> str:
    limits = (caller.requests_per_minute, caller.test_integration_per_minute)
    return json.dumps([caller.key_id.hex, caller.customer_id.hex, caller.expires_at, *limits])


def decode(text: bytes) -> ApiPrincipal:
    key_id, customer_id, *rest = json.loads(text)
    return ApiPrincipal(UUID(key_id), UUID(customer_id), *rest)
