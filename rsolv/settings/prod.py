"""Production: no default for a secret, TLS everywhere, JSON logs. A missing variable stops the start."""

from django.core.exceptions import ImproperlyConfigured

from rsolv.logs import configure_structlog

from .base import *
from .reader import env

DEBUG = False
SECRET_KEY = env.str("RSOLV_SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "EMAIL_URL", "RSOLV_BASE_URL"):
    if not env.str(name):
        raise ImproperlyConfigured(f"{name}: must not be empty in production")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = configure_structlog(as_json=True, level=env.str("LOG_LEVEL", default="INFO"))
