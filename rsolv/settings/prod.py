"""Settings for production: no default for a secret, TLS everywhere, JSON logs.

A missing or invalid variable stops the start.
"""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.environment import env
from core.logging import LOG_LEVELS, configure_structlog

from .base import *

DEBUG = False
for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "EMAIL_URL", "RSOLV_BASE_URL"):
    if not env.str(name):
        raise ImproperlyConfigured(f"{name}: must not be empty in production")
if IS_SQLITE:
    raise ImproperlyConfigured("DATABASE_URL: production needs PostgreSQL")
if not STRIPE_KEY.match(STRIPE_SECRET_KEY):
    raise ImproperlyConfigured("STRIPE_SECRET_KEY: not a secret or restricted key of Stripe's")

SECRET_KEY = env.str("RSOLV_SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("RSOLV_SECRET_KEY: must have at least 50 characters")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS: must name at least one host")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_SSL_HOST = urlsplit(BASE_URL).netloc  # not the Host header, whose port is not validated
SECURE_REDIRECT_EXEMPT = [r"^api/health/"]  # called from the internal network, without TLS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = configure_structlog(as_json=True, level=env.choice("LOG_LEVEL", default="INFO", choices=LOG_LEVELS))
