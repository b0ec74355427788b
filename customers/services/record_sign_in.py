"""Where a person logs in from is remembered, and a new place is told to them."""

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

# An address moves within its network, and a browser's numbers with each week.
NETWORK_BITS = {4: 24, 6: 48}


def record_sign_in(*, user: User, browser: str, address: str | None, at: datetime) -> bool:
    """Remember a browser and network; whether they are new for somebody who has logged in before.

    A new place goes into the audit log. Repeating it tells nothing twice.
    """
    with transaction.atomic():
        is_first = not KnownDevice.objects.filter(user=user).exists()
        _, is_new = KnownDevice.objects.get_or_create(
            user=user, fingerprint=_fingerprint(browser, address), defaults={"first_seen_at": at}
        )
        is_news = is_new and not is_first
        membership = get_membership(user) if is_news else None
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
    return is_news


def _fingerprint(browser: str, address: str | None) -> str:
    network = ""
    if address:
        ip = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network(f"{ip}/{NETWORK_BITS[ip.version]}", strict=False))
    family = re.sub(r"[\d._]+", "", browser)
    return hashlib.sha256(f"{settings.SECRET_KEY}|{family}|{network}".encode()).hexdigest()
