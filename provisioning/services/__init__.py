"""From signup to an account that works, one module a verb."""

from .close_account import PlanBeingOpened, close_account
from .export_data import export_data
from .provision_customer import Provisioned, SignupRefused, check_address, provision_customer
from .retry_steps import retry_failed_steps, retry_steps
from .run_step import run_step
from .send_mail import queue_mail, send_mail
from .sweep_provisioning import sweep_provisioning

__all__ = [
    "PlanBeingOpened",
    "Provisioned",
    "SignupRefused",
    "check_address",
    "close_account",
    "export_data",
    "provision_customer",
    "queue_mail",
    "retry_failed_steps",
    "retry_steps",
    "run_step",
    "send_mail",
    "sweep_provisioning",
]
