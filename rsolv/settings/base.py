"""Settings shared by dev, test and prod. Those modules override what differs between them."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab

from core.environment import env
from core.http.headers import build_policy, list_form_targets
from core.logging import LOG_LEVELS, configure_structlog

from .api import *
from .billing import *
from .people import *

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("RSOLV_DATA_DIR", default=str(BASE_DIR / "var")))
BASE_URL = env.address("RSOLV_BASE_URL", default="http://localhost:8000", schemes=("http", "https")).rstrip(
    "/"
)

# allauth writes the scheme of links in mails itself.
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme

INSTALLED_APPS = [
    # Without Unfold's own admin site: StaffAdminConfig names ours.
    "unfold.apps.BasicAppConfig",
    "rsolv.staff.apps.StaffAdminConfig",
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
    "core",
    "rsolv.portal",
    "rsolv.staff.business_metrics",
    "customers",
    "phases",
    "billing",
    "provisioning",
]

MIDDLEWARE = [
    "core.metrics.middleware.ScrapeMiddleware",
    "core.tracing.TraceMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.http.cache_control.CacheControlMiddleware",
    "core.http.headers.HeadersMiddleware",
    "core.http.base_url.BaseUrlMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    # API requests skip everything from here to ApiRejoinMiddleware: docs/decisions/018.
    "core.api.middleware.ApiShortcutMiddleware",
    "core.http.page_bodies.PageBodyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rsolv.portal.step_up.StepUpMiddleware",
    "rsolv.portal.time_zone.TimeZoneMiddleware",
    "core.api.middleware.ApiRejoinMiddleware",
    "core.metrics.middleware.CountMiddleware",
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

# Database: DATABASE_URL, or SQLite if it is not set.
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
    # dj-stripe's migrations take a minute. A disposable database creates its tables directly instead
    # (migrate --run-syncdb): docs/decisions/002.
    MIGRATION_MODULES: dict[str, str | None] = {"djstripe": None}
    # SQLite ignores an index's INCLUDE columns, which only PostgreSQL supports.
    SILENCED_SYSTEM_CHECKS = ["models.W040"]
else:
    SILENCED_SYSTEM_CHECKS = []
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "pool": {"min_size": 1, "max_size": env.count("DATABASE_POOL", default=16), "timeout": 3},
    }
    # Replace a connection that the server has closed, before a request uses it.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache and queue: REDIS_URL, or memory and files if it is not set.
REDIS_URL = env.address("REDIS_URL", default="", schemes=("redis", "rediss", "unix"))
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "core.redis.cache.FallbackRedisCache",
            "LOCATION": REDIS_URL,
            # Django's default serializer is pickle: anybody who can write to Redis could run code here.
            "OPTIONS": {"serializer": "core.redis.serializer.JsonSerializer"},
        }
    }
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "visibility_timeout": 600,
        # A request that enqueues must not wait for an unavailable broker: the sweep enqueues the row later.
        "max_retries": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Login limits are counted here: a client must not be able to evict its own count.
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        }
    }
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT = "core.queue.file_transport.Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue"),
        "data_folder_out": str(DATA_DIR / "queue"),
        "control_folder": str(DATA_DIR / "queue-control"),
        "polling_interval": 0.2,
    }
# Timeout of Redis calls made during requests, and how long Redis is skipped after one has failed.
REDIS_TIMEOUT_SECONDS = env.float("REDIS_TIMEOUT_SECONDS", default=0.25)
REDIS_COOLDOWN_SECONDS = 2
# How long the key cache is valid without a database query, and how long it keeps an entry. 0: no cache.
KEY_CACHE_LEASE_SECONDS: float = env.count("KEY_CACHE_LEASE_SECONDS", default=5)
KEY_CACHE_SECONDS = env.int("KEY_CACHE_SECONDS", default=300)
# Reject every message that is not JSON, whatever content type it declares.
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = env.count("TASK_SECONDS", default=120)
# How long a worker keeps an outbox row. It outlasts the task, so that no other worker repeats a running one.
OUTBOX_LEASE = timedelta(seconds=1.5 * CELERY_TASK_TIME_LIMIT)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULER = "core.queue.scheduler.JsonScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule.json")
SWEEP_SECONDS = env.count("SWEEP_SECONDS", default=60)
# A task expires when the next one of its kind is due, so that they do not pile up without a worker.
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
    "prune-mails": {
        "task": "provisioning.tasks.prune_mails",
        "schedule": crontab(minute=50),
        "options": {"expires": 3600},
    },
    "prune-signups": {
        "task": "provisioning.tasks.prune_signups",
        "schedule": crontab(minute=20),
        "options": {"expires": 3600},
    },
    "take-business-metrics": {
        "task": "rsolv.staff.business_metrics.tasks.take_business_metrics",
        "schedule": crontab(minute=40),
        "options": {"expires": 3600},
    },
    "flush-key-uses": {
        "task": "customers.tasks.flush_key_uses",
        "schedule": 20,
        "options": {"expires": 20},
    },
    "recount-storage": {
        "task": "phases.tasks.recount_storage",
        "schedule": crontab(hour=4, minute=40),
        "options": {"expires": 3600},
    },
    "expire-invitations": {
        "task": "customers.tasks.expire_invitations",
        "schedule": crontab(minute=20),
        "options": {"expires": 3600},
    },
    "prune-idempotent-answers": {
        "task": "customers.tasks.prune_idempotent_answers",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
}

# Engine processes per web process. With 0 the web process does the work itself, without limits.
ENGINE_PROCESSES = env.int("ENGINE_PROCESSES", default=2)
ENGINE_REQUESTS = env.count("ENGINE_REQUESTS", default=2)
ENGINE_CPU_SECONDS = env.float("ENGINE_CPU_SECONDS", default=0.8)
ENGINE_MEMORY_MB = env.count("ENGINE_MEMORY_MB", default=128)
ENGINE_WAIT_SECONDS = env.float("ENGINE_WAIT_SECONDS", default=2)

# Mail: EMAIL_URL, or files if it is not set.
EMAIL_URL = env.address("EMAIL_URL", default="", schemes=("smtp", "smtps", "smtp+tls", "smtp+ssl"))
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
# How long a mail's row, with its address, is kept after the mail was created.
MAIL_RETENTION_DAYS = env.count("MAIL_RETENTION_DAYS", default=30)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="RSOLV <hello@rsolv.dev>")

# The number of our own proxies. X-Forwarded-For entries that a client could have written are not trusted.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# The Action's name in generated workflow files.
RSOLV_ACTION = env.str("RSOLV_ACTION", default="rsolv-dev/rsolv-action@v3")

# Django's default, set explicitly because a pickle serializer would run code from the database.
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

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

# Metrics and traces. prometheus_client reads PROMETHEUS_MULTIPROC_DIR itself; the folder must exist.
TRACES_URL = env.address("TRACES_URL", default="", schemes=("http", "https"))
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ADDRESSES = env.networks("METRICS_ADDRESSES", default="")
METRICS_PORT = env.int("METRICS_PORT", default=0)
if METRICS_FOLDER := env.str("PROMETHEUS_MULTIPROC_DIR", default=""):
    Path(METRICS_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)

LOGGING = configure_structlog(
    as_json=env.bool("LOG_JSON", default=False),
    level=env.choice("LOG_LEVEL", default="INFO", choices=LOG_LEVELS),
)
