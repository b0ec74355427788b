"""The authenticated caller of the API, as cached for every request. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ApiPrincipal:
    """A valid API key, its customer and its limits.

    `expires_at` is in Unix seconds, None for no expiry. A limit of None means the default.
    """

    key_id: UUID
    customer_id: UUID
    expires_at: float | None
    requests_per_minute: int | None = None
    test_integration_per_minute: int | None = None

    def is_valid_at(self, at: datetime) -> bool:
        return self.expires_at is None or at.timestamp() < self.expires_at


def encode(principal: ApiPrincipal) -> str:
    limits = (principal.requests_per_minute, principal.test_integration_per_minute)
    return json.dumps([principal.key_id.hex, principal.customer_id.hex, principal.expires_at, *limits])


def decode(text: bytes) -> ApiPrincipal:
    key_id, customer_id, *rest = json.loads(text)
    return ApiPrincipal(UUID(key_id), UUID(customer_id), *rest)
