"""Staff's view of people, customers, keys and what was done."""

from . import audit, customers, keys, logins, namespaces, people, staff

__all__ = ["audit", "customers", "keys", "logins", "namespaces", "people", "staff"]
