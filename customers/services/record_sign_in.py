"""Record the devices that people sign in from."""

import hashlib
import ipaddress
import re
from datetime import datetime

from django.conf import settings
from django.db import transaction

from core.http.user_agents import describe_browser
from customers.models import AuditLogEntry, KnownDevice, User
from customers.selectors import get_membership

from .record_audit_log_entry import record_audit_log_entry

# Addresses change within a network, and browsers change their version numbers every few weeks.
NETWORK_BITS = {4: 24, 6: 48}


def record_sign_in(*, user: User, browser: str, address: str | None, at: datetime) -> bool:
    """Record a browser and network. Return whether they are new for a person who has signed in before.

    A new device is recorded in the audit log. Safe to repeat: the second call returns False.
    """
    with transaction.atomic():
        is_first = not KnownDevice.objects.filter(user=user).exists()
        _, is_new = KnownDevice.objects.get_or_create(
            user=user, fingerprint=_fingerprint(browser, address), defaults={"first_seen_at": at}
        )
        is_new_device = is_new and not is_first
        membership = get_membership(user) if is_new_device else None
        if membership is not None:
            record_audit_log_entry(
                customer=membership.customer,
                action=AuditLogEntry.Action.SIGN_IN_FROM_NEW_DEVICE,
                actor=user,
                subject=describe_browser(browser),
                device=describe_browser(browser),
                at=at,
                address=address,
            )
    return is_new_device


def _fingerprint(browser: str, address: str | None) -> str:
    network = ""
    if address:
        ip = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network(f"{ip}/{NETWORK_BITS[ip.version]}", strict=False))
    family = re.sub(r"[\d._]+", "", browser)
    return hashlib.sha256(f"{settings.SECRET_KEY}|{family}|{network}".encode()).hexdigest()
