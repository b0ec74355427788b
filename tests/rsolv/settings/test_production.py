"""Production settings in a real process, with one invalid variable at a time."""

import os
import subprocess
import sys

import pytest

GOOD = {
    "DJANGO_SETTINGS_MODULE": "rsolv.settings.prod",
    "RSOLV_SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "app.example.com",
    "RSOLV_BASE_URL": "https://app.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "STRIPE_SECRET_KEY": "sk_test_" + "0" * 24,
    "EMAIL_URL": "smtp://127.0.0.1:9",
}
READ = (
    "from django.conf import settings; settings.DEBUG;"
    "print(*sorted(getattr(settings, 'ACCOUNT_RATE_LIMITS', {}).items()))"
)


INHERITED = ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX")


def start(read=READ, **changes):
    kept = {name: value for name, value in os.environ.items() if name in INHERITED}
    variables = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return subprocess.run([sys.executable, "-c", read], env=kept | variables, capture_output=True, text=True)


def test_start_with_all_variables():
    assert start().returncode == 0


def test_rate_limits_tighten_those_of_allauth():
    assert start().stdout.strip() == (
        "('confirm_email', '1/10s/key,10/h/key') ('manage_email', '5/m/user,20/d/user') "
        "('reset_password', '20/m/ip,100/d/ip,3/m/key,5/h/key,10/d/key')"
    )


def test_tls_redirect_uses_the_configured_host_and_port():
    read = "from django.conf import settings as s; print(s.SECURE_SSL_HOST, s.ACCOUNT_DEFAULT_HTTP_PROTOCOL)"
    assert start(read, RSOLV_BASE_URL="https://a.example:8443").stdout.split() == ["a.example:8443", "https"]


def test_lease_of_an_outbox_row_outlasts_a_task():
    read = "from django.conf import settings as s; print(s.OUTBOX_LEASE.total_seconds())"
    assert [start(read, TASK_SECONDS=given).stdout.strip() for given in (None, "40")] == ["180.0", "60.0"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in GOOD if name != "DJANGO_SETTINGS_MODULE"),
        ("RSOLV_SECRET_KEY", "short"),
        ("ALLOWED_HOSTS", ""),
        ("RSOLV_BASE_URL", "app.example.com"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "garbage"),
        ("DATABASE_URL", "sqlite:///x"),
        ("DATABASE_URL", "postgres://a@b:port/x"),
        ("DATABASE_POOL", "0"),
        ("REDIS_URL", "localhost:6379"),
        ("STRIPE_SECRET_KEY", "pk_test_xx"),
        ("STRIPE_LIVE_MODE", "ture"),  # codespell:ignore ture
        ("EMAIL_URL", "garbage"),
        ("LOG_LEVEL", "LOUD"),
        ("API_REQUESTS_PER_MINUTE", "many"),
        ("TASK_SECONDS", "0"),
    ],
)
def test_fail_and_name_the_invalid_variable(name, value):
    process = start(**{name: value})
    assert process.returncode != 0
    said = process.stderr.rsplit("ImproperlyConfigured: ", 1)
    assert len(said) == 2
    assert name in said[1]
