"""What every environment shares. The environments set what differs, and read no secret of their own."""

import re
from pathlib import Path
from typing import Any

from celery.schedules import crontab

from rsolv.headers import build_policy, list_form_targets
from rsolv.logs import LOG_LEVELS, configure_structlog

from .reader import env

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("RSOLV_DATA_DIR", default=str(BASE_DIR / "var")))
BASE_URL = env.address("RSOLV_BASE_URL", default="http://localhost:8000", schemes=("http", "https")).rstrip(
    "/"
)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django_prometheus",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.usersessions",
    "djstripe",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rsolv.api",
    "rsolv.metrics",
    "rsolv.portal",
    "rsolv.figures",
    "customers",
    "phases",
    "billing",
    "provisioning",
]

MIDDLEWARE = [
    "rsolv.metrics.middleware.ScrapeMiddleware",
    "rsolv.traces.TraceMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "rsolv.api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "rsolv.headers.HeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    # What stands between these two, only pages have.
    "rsolv.api.middleware.ShortcutMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rsolv.portal.time_zone.TimeZoneMiddleware",
    "rsolv.api.middleware.RejoinMiddleware",
    "rsolv.metrics.middleware.CountMiddleware",
]

ROOT_URLCONF = "rsolv.urls"
WSGI_APPLICATION = "rsolv.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Database: SQLite when nothing is said, else what DATABASE_URL names.
DATABASES: dict[str, Any] = {
    "default": env.database("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'rsolv.sqlite3'}")
}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if IS_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # dj-stripe's migrations take a minute; a throwaway database makes its tables at once instead
    # (migrate --run-syncdb). See docs/decisions/002-two-ways-to-run.md.
    MIGRATION_MODULES: dict[str, str | None] = {"djstripe": None}
    # An index's columns beside its key are for PostgreSQL: here they are only left out.
    SILENCED_SYSTEM_CHECKS = ["models.W040"]
else:
    SILENCED_SYSTEM_CHECKS = []
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "pool": {"min_size": 1, "max_size": env.count("DATABASE_POOL", default=16), "timeout": 3},
    }
    # A connection that the server has dropped is replaced, not handed to a request.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache and queue: Redis when it is named, else inside this machine.
REDIS_URL = env.address("REDIS_URL", default="", schemes=("redis", "rediss", "unix"))
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {"BACKEND": "rsolv.cache.ForgivingRedisCache", "LOCATION": REDIS_URL}
    }
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "visibility_timeout": 600,
        # A request that enqueues does not wait for a broker that is away: the sweep picks the row up.
        "max_retries": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT = "rsolv.file_queue.Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue"),
        "data_folder_out": str(DATA_DIR / "queue"),
        "control_folder": str(DATA_DIR / "queue-control"),
        "polling_interval": 0.2,
    }
# What every request asks of Redis is asked shortly, and for a while not at all once it did not answer.
REDIS_TIMEOUT_SECONDS = env.float("REDIS_TIMEOUT_SECONDS", default=0.25)
REDIS_REST_SECONDS = 2
# How long the key cache is believed without a look into the database; how long it keeps a key, 0: no cache.
KEY_CACHE_LEASE_SECONDS: float = env.count("KEY_CACHE_LEASE_SECONDS", default=5)
KEY_CACHE_SECONDS = env.int("KEY_CACHE_SECONDS", default=300)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
SWEEP_SECONDS = env.count("SWEEP_SECONDS", default=60)
# What no worker has taken up when the next is due is not worth doing twice.
CELERY_BEAT_SCHEDULE = {
    "sweep-billing": {
        "task": "billing.tasks.sweep_billing",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "reconcile-billing": {
        "task": "billing.tasks.reconcile_billing",
        "schedule": crontab(hour=3, minute=10),
        "options": {"expires": 3600},
    },
    "prune-billing": {
        "task": "billing.tasks.prune_billing",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    },
    "sweep-provisioning": {
        "task": "provisioning.tasks.sweep_provisioning",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "take-figures": {
        "task": "rsolv.figures.tasks.take_figures",
        "schedule": crontab(minute=40),
        "options": {"expires": 3600},
    },
    "flush-key-uses": {
        "task": "customers.tasks.flush_key_uses",
        "schedule": 20,
        "options": {"expires": 20},
    },
    "prune-idempotent-answers": {
        "task": "rsolv.api.tasks.prune_idempotent_answers",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
}

# People: email and password through allauth.
AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "signup": "provisioning.forms.SignupForm",
    "change_password": "provisioning.forms.ChangePasswordForm",
    "set_password": "provisioning.forms.SetPasswordForm",
    "reset_password_from_key": "provisioning.forms.ResetPasswordKeyForm",
}
ACCOUNT_ADAPTER = "provisioning.adapters.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "RSOLV"
MFA_FORMS = {"add_webauthn": "provisioning.forms.AddKeyForm"}
MFA_ADAPTER = "provisioning.adapters.MfaAdapter"
# Login with GitHub is offered when an application is named. An address that has an account is never linked
# by itself: its owner logs in and connects the two.
GITHUB_CLIENT_ID = env.str("GITHUB_CLIENT_ID", default="")
GITHUB_CLIENT_SECRET = env.str("GITHUB_CLIENT_SECRET", default="")
GITHUB_URL = env.address("GITHUB_URL", default="", schemes=("http", "https"))
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "github": {
        "APPS": [{"client_id": GITHUB_CLIENT_ID, "secret": GITHUB_CLIENT_SECRET}] if GITHUB_CLIENT_ID else [],
        **({"GITHUB_URL": GITHUB_URL} if GITHUB_URL else {}),
    }
}
SOCIALACCOUNT_ADAPTER = "provisioning.adapters.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "provisioning.forms.SocialSignupForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_QUERY_EMAIL = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "rsolv_session"

# Mail: readable files unless a server is named.
EMAIL_URL = env.address("EMAIL_URL", default="", schemes=("smtp", "smtps", "smtp+tls", "smtp+ssl"))
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="RSOLV <hello@rsolv.dev>")

# API.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rsolv.api.auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rsolv.api.auth.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rsolv.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rsolv.api.parsers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "rsolv.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rsolv.api.throttling.CustomerThrottle"],
    "EXCEPTION_HANDLER": "rsolv.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RSOLV API",
    "DESCRIPTION": "What the RSOLV GitHub Action calls. Send your key as `X-API-Key`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}
API_MAX_BODY_BYTES = 8 * 1024 * 1024
API_MAX_NESTING = 100
API_REQUESTS_PER_MINUTE = env.count("API_REQUESTS_PER_MINUTE", default=500)
API_TEST_INTEGRATION_PER_MINUTE = env.count("API_TEST_INTEGRATION_PER_MINUTE", default=100)
API_BAD_KEYS_PER_MINUTE = env.count("API_BAD_KEYS_PER_MINUTE", default=30)
# One more than the API's own limit: its parser must be the one that refuses, in our error shape.
DATA_UPLOAD_MAX_MEMORY_SIZE = API_MAX_BODY_BYTES + 1

# How many proxies of ours stand in front; addresses that a caller could write itself are not believed.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# Stripe, through dj-stripe and billing/stripe_gateway.py.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com").rstrip("/")
if STRIPE_API_BASE != "https://api.stripe.com":
    STRIPE_API_HOST = STRIPE_API_BASE  # where dj-stripe calls: the sandbox
STRIPE_API_VERSION = "2026-08-26.dahlia"
STRIPE_LIVE_MODE = env.bool("STRIPE_LIVE_MODE", default=False)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9]{24,}\Z")
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
STRIPE_TIMEOUT_SECONDS = env.count("STRIPE_TIMEOUT_SECONDS", default=20)
RECONCILE_CALLS = env.count("RECONCILE_CALLS", default=8)
WEBHOOK_RETENTION_DAYS = env.count("WEBHOOK_RETENTION_DAYS", default=90)
BILLING_GRACE_DAYS = env.count("BILLING_GRACE_DAYS", default=7)
CLAIM_MINUTES = env.count("CLAIM_MINUTES", default=60)
METER_SETTLE_SECONDS = env.int("METER_SETTLE_SECONDS", default=120)
DJSTRIPE_SUBSCRIBER_MODEL = "customers.Customer"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_VALIDATION = "verify_signature"

# The Action, as workflow files name it.
RSOLV_ACTION = env.str("RSOLV_ACTION", default="rsolv-dev/rsolv-action@v3")

# Pages.
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": build_policy(
        form_targets=list_form_targets(
            GITHUB_URL or "https://github.com",
            *(() if STRIPE_API_BASE == "https://api.stripe.com" else (STRIPE_API_BASE,)),
        )
    )
}
UNFOLD = {"SITE_TITLE": "RSOLV staff", "SITE_HEADER": "RSOLV staff", "SITE_SYMBOL": "verified_user"}

# Metrics and traces. prometheus_client reads its folder's name from the environment; it must be there.
TRACES_URL = env.address("TRACES_URL", default="", schemes=("http", "https"))
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ADDRESSES = env.networks("METRICS_ADDRESSES", default="")
METRICS_PORT = env.int("METRICS_PORT", default=0)
if METRICS_FOLDER := env.str("PROMETHEUS_MULTIPROC_DIR", default=""):
    Path(METRICS_FOLDER).mkdir(parents=True, exist_ok=True)

LOGGING = configure_structlog(
    as_json=env.bool("LOG_JSON", default=False),
    level=env.choice("LOG_LEVEL", default="INFO", choices=LOG_LEVELS),
)
