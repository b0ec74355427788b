"""Typed settings from the environment that fail at start, naming the variable."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class Reader(environ.Env):
    """django-environ, strict: a value that cannot be read as its type is an error, not a guess."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **kwargs: Any) -> Any:
        if cast is bool:
            return self._get_bool(var, default)
        try:
            return super().get_value(var, cast=cast, default=default, **kwargs)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var}: cannot be read as {cast.__name__}: {error}") from error

    def _get_bool(self, var: str, default: Any) -> Any:
        raw = self.ENVIRON.get(self.prefix + var if self.prefix else var)
        if raw is None:
            if default is environ.Env.NOTSET:
                raise ImproperlyConfigured(f"Set the {var} environment variable to true or false")
            return default
        if raw.lower() in TRUE:
            return True
        if raw.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{var}: {raw!r} is neither true nor false")


env = Reader()
