"""Typed settings from environment variables. An invalid value fails at start with the variable's name."""

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class Reader(environ.Env):
    """A strict django-environ: a value that cannot be read as its type raises ImproperlyConfigured."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **kwargs: Any) -> Any:
        if cast is bool:
            return self._get_bool(var, default)
        try:
            return super().get_value(var, cast=cast, default=default, **kwargs)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var}: cannot be read as {cast.__name__}: {error}") from error

    def _get_bool(self, var: str, default: Any) -> Any:
        raw = self.ENVIRON.get(var)
        if raw is None:
            if default is environ.Env.NOTSET:
                raise ImproperlyConfigured(f"Set the {var} environment variable to true or false")
            return default
        if raw.lower() in TRUE:
            return True
        if raw.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{var}: {raw!r} is neither true nor false")

    def count(self, var: str, *, default: int) -> int:
        """Read a whole number of at least one."""
        value: int = self.int(var, default=default)
        if value < 1:
            raise ImproperlyConfigured(f"{var}: must be at least 1")
        return value

    def choice(self, var: str, *, default: str, choices: Collection[str]) -> str:
        value: str = self.str(var, default=default)
        if value not in choices:
            raise ImproperlyConfigured(f"{var}: must be one of {', '.join(choices)}")
        return value

    def networks(self, var: str, *, default: str) -> list[IPv4Network | IPv6Network]:
        """Read a comma-separated list of addresses and networks, such as `10.0.0.0/8,::1`."""
        value: str = self.str(var, default=default)
        try:
            return [ip_network(each.strip()) for each in value.split(",") if each.strip()]
        except ValueError as error:
            raise ImproperlyConfigured(f"{var}: {error}") from error

    def address(self, var: str, *, default: str, schemes: Collection[str]) -> str:
        """Read a URL with one of these schemes, or "".

        The error never repeats the value: it may hold a password.
        """
        value: str = self.str(var, default=default)
        try:
            parts = urlsplit(value)
            is_good = not value or (parts.scheme in schemes and bool(parts.netloc or parts.path))
            # Raises ValueError if the port is no number.
            _ = parts.port
        except ValueError:
            is_good = False
        if not is_good:
            raise ImproperlyConfigured(f"{var}: must be a URL that starts with {' or '.join(schemes)}://")
        return value

    def database(self, var: str, *, default: str) -> dict[str, Any]:
        """Read the URL of a PostgreSQL or SQLite database into Django's DATABASES format."""
        schemes = ("postgres", "postgresql", "sqlite")
        if not self.address(var, default=default, schemes=schemes):
            raise ImproperlyConfigured(f"{var}: must not be empty")
        parsed: dict[str, Any] = self.db_url(var, default=default)
        return parsed


env = Reader()
