"""Settings for tests: fast password hashes, mail in memory, eager tasks, no login rate limits."""

import os
import tempfile

os.environ.setdefault("STRIPE_API_BASE", "http://127.0.0.1:9")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_" + "sandbox" * 4)
os.environ.setdefault("RSOLV_DATA_DIR", tempfile.mkdtemp(prefix="rsolv-test-"))
# Tests flush their Redis database, so each process of a parallel run needs its own.
if (process := os.environ.get("PYTEST_XDIST_WORKER")) and os.environ.get("REDIS_URL"):
    address, _, number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{address}/{int(number) + int(process.removeprefix('gw'))}"

from .base import *

SECRET_KEY = "test-only"  # noqa: S105 - used in tests only
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
ACCOUNT_RATE_LIMITS = False
INSTALLED_APPS += ["sandbox.seed"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # tests use plain HTTP
SILENCED_SYSTEM_CHECKS += ["djstripe.W002"]  # tests use the sandbox Stripe
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
