"""Staff admin pages of people, customers, keys and audit logs."""

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
