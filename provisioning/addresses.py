"""Mail addresses as signups treat them. Pure."""

from contextlib import suppress

from disposable_email_domains import blocklist


def normalise_email(address: str) -> str:
    """Lower case, without blanks around it, the domain as it stands in the DNS."""
    local, _, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):  # not a domain at all: the validator says so
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}".lower()


def is_disposable(address: str) -> bool:
    """Whether the domain, or one above it, hands out addresses to throw away."""
    labels = normalise_email(address).rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def find_mailbox(address: str) -> str:
    """The address whose mailbox this one is read in: without a `+tag`."""
    local, _, domain = normalise_email(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
