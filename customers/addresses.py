"""Mail addresses as signups treat them. Pure."""

from contextlib import suppress
from functools import cache

from disposable_email_domains import blocklist
from publicsuffixlist import PublicSuffixList

from .mail_providers import ANY_OTHER, BY_DOMAIN, Provider


def normalize_email(address: str) -> str:
    """Lower case, without blanks around it, the domain as it stands in the DNS."""
    local, _, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):  # not a domain at all: the validator says so
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}".lower()


def is_disposable(address: str) -> bool:
    """Whether the domain, or one above it, hands out addresses to throw away."""
    labels = normalize_email(address).rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def has_public_domain(address: str) -> bool:
    """Whether the domain is a name that mail can be sent to: no address literal, no name of one machine."""
    domain = address.rpartition("@")[2]
    return "." in domain and not domain.startswith("[")


def find_mailbox(address: str) -> str:
    """The address whose mailbox this one is read in: without tags, dots and other names of its provider."""
    local, _, domain = normalize_email(address).rpartition("@")
    provider, domain, user = _find_provider(domain)
    if user:
        return f"{user}@{domain}"
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = local[1:-1].replace("\\", "")
    name = _strip_tag(local, provider.separators)
    kept = "".join(each for each in name if each not in provider.ignored)
    return f"{kept or name}@{provider.domains[0] if provider.is_one else domain}"


def find_organization(address: str) -> str:
    """The registered domain that an address belongs to, "" at a provider of mailboxes for everybody.

    Domains below others that anybody can get (of a dynamic DNS, say) count as the one above them.
    """
    domain = normalize_email(address).rpartition("@")[2]
    if _find_provider(domain)[0] is not ANY_OTHER:
        return ""
    return _load_suffixes().privatesuffix(domain) or domain


def _find_provider(domain: str) -> tuple[Provider, str, str]:
    """The provider, its domain, and the name that the domain itself says, if it does."""
    if domain in BY_DOMAIN:
        return BY_DOMAIN[domain], domain, ""
    user, _, above = domain.partition(".")
    if above in BY_DOMAIN and BY_DOMAIN[above].has_subdomains:
        return BY_DOMAIN[above], above, user
    return ANY_OTHER, domain, ""


def _strip_tag(local: str, separators: str) -> str:
    """A name that is nothing but a tag stays as it is."""
    ends = [found for each in separators if (found := local.find(each)) > 0]
    return local[: min(ends)] if ends else local


@cache
def _load_suffixes() -> PublicSuffixList:
    """Of registries alone: who runs a dynamic DNS hands out as many names as are asked for."""
    return PublicSuffixList(only_icann=True)
