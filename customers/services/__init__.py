"""Every change of a customer's state, one module a verb."""

from .authenticate_key import LAST_USE_PRECISION, authenticate_api_key
from .claim_namespace import NamespaceHeld, claim_namespace
from .create_customer import EmailTaken, create_customer
from .manage_keys import NewApiKey, create_api_key, revoke_api_key
from .manage_members import add_member
from .record_act import record_act

__all__ = [
    "LAST_USE_PRECISION",
    "EmailTaken",
    "NamespaceHeld",
    "NewApiKey",
    "add_member",
    "authenticate_api_key",
    "claim_namespace",
    "create_api_key",
    "create_customer",
    "record_act",
    "revoke_api_key",
]
