"""From signup to an account that works, one module a verb."""

from .close_account import PlanBeingOpened, close_account
from .confirm_signup import (
    Confirmed,
    InAnAccount,
    SignupOver,
    WrongCode,
    WrongPerson,
    confirm_by_code,
    confirm_onboarding,
    deny_onboarding,
    end_requests,
    find_onboarding,
)
from .export_data import export_data
from .provision_customer import (
    FIRST_KEY,
    Provisioned,
    SignupRefused,
    check_address,
    make_person,
    open_account,
    provision_customer,
)
from .prune_mails import prune_mails
from .prune_signups import prune_signups
from .request_signup import NameRefused, Onboarding, check_name, request_onboarding, request_signup
from .retry_steps import retry_steps
from .run_step import run_step
from .send_mail import queue_mail, send_mail
from .sweep_provisioning import check_signups, sweep_provisioning

__all__ = [
    "FIRST_KEY",
    "Confirmed",
    "InAnAccount",
    "NameRefused",
    "Onboarding",
    "PlanBeingOpened",
    "Provisioned",
    "SignupOver",
    "SignupRefused",
    "WrongCode",
    "WrongPerson",
    "check_address",
    "check_name",
    "check_signups",
    "close_account",
    "confirm_by_code",
    "confirm_onboarding",
    "deny_onboarding",
    "end_requests",
    "export_data",
    "find_onboarding",
    "make_person",
    "open_account",
    "provision_customer",
    "prune_mails",
    "prune_signups",
    "queue_mail",
    "request_onboarding",
    "request_signup",
    "retry_steps",
    "run_step",
    "send_mail",
    "sweep_provisioning",
]
