"""People and their account are called what they say, and get the mail they want."""

from customers.models import Customer, Membership, User


def change_profile(*, user: User, name: str, time_zone: str) -> None:
    """`time_zone` is a name of the IANA's, or empty for UTC."""
    user.name, user.time_zone = name.strip(), time_zone
    user.save(update_fields=["name", "time_zone"])


def rename_customer(*, customer: Customer, name: str) -> None:
    """Invoices that are made already keep the name they have."""
    customer.name = name.strip()
    customer.save(update_fields=["name"])


def choose_mail(*, membership: Membership, wants_alerts: bool, wants_guidance: bool) -> None:
    """What this member wants of the mail that goes to the account's address."""
    membership.wants_alerts, membership.wants_guidance = wants_alerts, wants_guidance
    membership.save(update_fields=["wants_alerts", "wants_guidance"])
