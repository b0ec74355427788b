"""Who uses the product: people, the customers that pay, their keys, namespaces, invitations and acts."""

from .audit import AuditEntry
from .customer import Customer, Membership
from .idempotent_answers import IdempotentAnswer
from .invitations import Invitation
from .keys import ApiKey, ApiKeyQuerySet
from .namespaces import ForgeAccount
from .people import LoginPlace, User, UserManager
from .rate_limits import RateLimit
from .staff_audit import AppendOnly, StaffAction
from .stale_keys import StaleKey

__all__ = [
    "ApiKey",
    "ApiKeyQuerySet",
    "AppendOnly",
    "AuditEntry",
    "Customer",
    "ForgeAccount",
    "IdempotentAnswer",
    "Invitation",
    "LoginPlace",
    "Membership",
    "RateLimit",
    "StaffAction",
    "StaleKey",
    "User",
    "UserManager",
]
