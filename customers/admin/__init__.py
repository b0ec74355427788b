"""Staff's view of people, customers, keys and what was done."""

from . import audit, customers, idempotent_answers, keys, known_devices, namespaces, people, staff

__all__ = [
    "audit",
    "customers",
    "idempotent_answers",
    "keys",
    "known_devices",
    "namespaces",
    "people",
    "staff",
]
