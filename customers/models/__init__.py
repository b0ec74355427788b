"""Models of people, customers, memberships, API keys, namespaces, invitations and audit logs."""

from .audit import AuditLogEntry
from .customer import Customer, Membership
from .idempotent_answers import IdempotentAnswer
from .invitations import Invitation
from .key_invalidations import KeyInvalidation
from .keys import ApiKey, ApiKeyQuerySet
from .namespaces import ForgeAccount
from .people import KnownDevice, User, UserManager
from .rate_limits import RateLimit
from .staff_audit import AppendOnly, StaffAction

__all__ = [
    "ApiKey",
    "ApiKeyQuerySet",
    "AppendOnly",
    "AuditLogEntry",
    "Customer",
    "ForgeAccount",
    "IdempotentAnswer",
    "Invitation",
    "KnownDevice",
    "Membership",
    "RateLimit",
    "StaffAction",
    "KeyInvalidation",
    "User",
    "UserManager",
]
