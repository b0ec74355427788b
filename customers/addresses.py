"""Normalize and classify email addresses for signups and mail limits. Pure."""

from contextlib import suppress
from functools import cache

from disposable_email_domains import blocklist
from publicsuffixlist import PublicSuffixList

from .mail_providers import ANY_OTHER, BY_DOMAIN, Provider


def normalize_email(address: str) -> str:
    """Return the address in lower case, stripped, with its domain in IDNA form (as in the DNS)."""
    local, _, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):  # not a valid domain: the form's validator rejects it
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}".lower()


def is_disposable(address: str) -> bool:
    """Return whether the domain, or one above it, offers throwaway addresses."""
    labels = normalize_email(address).rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def has_public_domain(address: str) -> bool:
    """Return whether the domain is a public DNS name: no address literal, no single-label host name."""
    domain = address.rpartition("@")[2]
    return "." in domain and not domain.startswith("[")


def find_mailbox(address: str) -> str:
    """Return the canonical address of the mailbox: without tags, ignored dots and aliases of its provider."""
    local, _, domain = normalize_email(address).rpartition("@")
    provider, domain, user = _find_provider(domain)
    if user:
        return f"{user}@{domain}"
    # A quoted name is the same mailbox as the unquoted one. Source: RFC 5321, section 4.1.2.
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = local[1:-1].replace("\\", "")
    name = _strip_tag(local, provider.separators)
    kept = "".join(each for each in name if each not in provider.ignored)
    return f"{kept or name}@{provider.domains[0] if provider.is_one else domain}"


def find_organization(address: str) -> str:
    """Return the registered domain of an address, or "" if it belongs to a public mail provider.

    Names below a domain that lets anybody register them (dynamic DNS, for example) count as that domain.
    """
    domain = normalize_email(address).rpartition("@")[2]
    if _find_provider(domain)[0] is not ANY_OTHER:
        return ""
    return _load_suffixes().privatesuffix(domain) or domain


def _find_provider(domain: str) -> tuple[Provider, str, str]:
    """Return the provider, its domain, and the user name if the domain itself contains it."""
    if domain in BY_DOMAIN:
        return BY_DOMAIN[domain], domain, ""
    user, _, above = domain.partition(".")
    if above in BY_DOMAIN and BY_DOMAIN[above].has_subdomains:
        return BY_DOMAIN[above], above, user
    return ANY_OTHER, domain, ""


def _strip_tag(local: str, separators: str) -> str:
    """Remove a tag such as `+news`. A name that consists of nothing but a tag is kept."""
    ends = [found for each in separators if (found := local.find(each)) > 0]
    return local[: min(ends)] if ends else local


@cache
def _load_suffixes() -> PublicSuffixList:
    """Load the suffixes of registries only.

    The private ones include dynamic DNS providers, below which one person can register any number of names.
    """
    return PublicSuffixList(only_icann=True)
