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
    add_customer_by_staff,
    add_member_by_staff,
    change_customer,
    change_person,
    remove_second_step,
    rename_api_key,
    send_password_reset,
)
from .change_role import LastOwner, NotYours, change_role
from .change_settings import change_profile, choose_mail, rename_customer
from .claim_namespace import NamespaceHeld, claim_namespace, release_namespaces
from .create_customer import EmailTaken, create_customer
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
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from .manage_members import add_member
from .note_login import note_login
from .record_act import record_act
from .record_staff_action import record_for_customer, record_staff_action
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
    "EmailTaken",
    "InvitationOver",
    "LastOwner",
    "NamespaceHeld",
    "NewApiKey",
    "NotInvited",
    "NotYours",
    "PlacedElsewhere",
    "TooManyInvitations",
    "accept_invitation",
    "add_member",
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
    "record_act",
    "release_namespaces",
    "remove_member",
    "rename_customer",
    "resend_invitation",
    "revoke_api_key",
    "revoke_invitation",
    "sign_up_invited",
    "transfer_ownership",
    "unblock_customer",
    "StaffPerson",
    "add_customer_by_staff",
    "add_member_by_staff",
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
