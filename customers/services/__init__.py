"""Every change of a customer's state, one module a verb."""

from .accept_invitation import (
    InvitationOver,
    NotInvited,
    PlacedElsewhere,
    accept_invitation,
    find_invited,
    sign_up_invited,
)
from .authenticate_key import LAST_USE_PRECISION, authenticate_api_key
from .block_customer import block_customer, unblock_customer
from .change_by_staff import (
    StaffPerson,
    change_customer,
    change_person,
    remove_second_step,
    rename_api_key,
    send_password_reset,
)
from .change_role import LastOwner, NotYours, change_role
from .change_settings import change_profile, choose_mail, rename_customer
from .claim_namespace import NamespaceHeld, TooManyNamespaces, claim_namespace
from .create_customer import EmailTaken, create_customer
from .deactivate_person import deactivate_person, reactivate_person
from .end_access import EndedAccess, KeyChoice
from .end_sessions import end_sessions
from .expire_invitations import expire_invitations
from .flush_key_uses import flush_key_uses
from .hide_setup import hide_setup
from .invite_member import (
    AlreadyInvited,
    AlreadyMember,
    TooManyInvitations,
    hash_token,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from .manage_keys import (
    OVERLAPS,
    KeyNotActive,
    NewApiKey,
    TooManyKeys,
    adopt_api_key,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from .manage_members import add_member
from .namespace_claims import KeyOrigin
from .note_login import note_login
from .prove_namespace import CustomerClosed, prove_namespace
from .record_act import record_act, record_acts
from .record_staff_action import record_for_customer, record_staff_action
from .release_namespace import release_namespace, release_namespaces
from .release_unconfirmed_address import (
    release_unconfirmed_address,
    remove_unconfirmed_person,
    take_login_over,
)
from .remove_member import remove_member
from .staff_access import NoSecondStep, NotSuperuser, end_staff_access, grant_staff_access
from .transfer_ownership import transfer_ownership

__all__ = [
    "rotate_api_key",
    "TooManyKeys",
    "KeyNotActive",
    "OVERLAPS",
    "LAST_USE_PRECISION",
    "AlreadyInvited",
    "AlreadyMember",
    "CustomerClosed",
    "EmailTaken",
    "EndedAccess",
    "KeyChoice",
    "deactivate_person",
    "end_sessions",
    "expire_invitations",
    "reactivate_person",
    "record_acts",
    "InvitationOver",
    "LastOwner",
    "NamespaceHeld",
    "NewApiKey",
    "NotInvited",
    "NotYours",
    "KeyOrigin",
    "PlacedElsewhere",
    "TooManyInvitations",
    "TooManyNamespaces",
    "accept_invitation",
    "add_member",
    "adopt_api_key",
    "authenticate_api_key",
    "block_customer",
    "change_profile",
    "change_role",
    "choose_mail",
    "claim_namespace",
    "create_api_key",
    "create_customer",
    "find_invited",
    "flush_key_uses",
    "hash_token",
    "hide_setup",
    "invite_member",
    "note_login",
    "prove_namespace",
    "record_act",
    "release_namespace",
    "release_namespaces",
    "release_unconfirmed_address",
    "remove_member",
    "remove_unconfirmed_person",
    "rename_customer",
    "resend_invitation",
    "revoke_api_key",
    "revoke_invitation",
    "sign_up_invited",
    "take_login_over",
    "transfer_ownership",
    "unblock_customer",
    "StaffPerson",
    "change_customer",
    "change_person",
    "remove_second_step",
    "rename_api_key",
    "send_password_reset",
    "record_for_customer",
    "record_staff_action",
    "NoSecondStep",
    "NotSuperuser",
    "end_staff_access",
    "grant_staff_access",
]
