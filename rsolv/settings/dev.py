"""Settings for development and the demo: every variable has a default, Stripe is the sandbox."""

import os

os.environ.setdefault("STRIPE_API_BASE", "http://127.0.0.1:12111")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_" + "sandbox" * 4)

from core.environment import env
from core.private_files import make_private

from .base import *

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("RSOLV_SECRET_KEY", default="dev-only-" + "0123456789" * 5)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
METRICS_ADDRESSES = env.networks("METRICS_ADDRESSES", default="127.0.0.0/8,::1")
INSTALLED_APPS += ["sandbox.seed"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # development uses plain HTTP
STATIC_ROOT = DATA_DIR / "static"
make_private(
    DATA_DIR,
    names=("queue", "queue-control", "mail", "static"),
    database=str(DATABASES["default"]["NAME"]) if IS_SQLITE else "",
)
FILE_UPLOAD_PERMISSIONS = 0o600  # Django's default makes stored files readable by everybody
