"""Create a new database with customers in every state, while web and worker run; `--empty` creates none."""

import sys
import time

import django
import httpx
from django.conf import settings
from django.core.management import call_command

from sandbox.tables import create_tables


def main() -> None:
    django.setup()
    create_tables()
    call_command("sync_plans", verbosity=0)
    call_command("register_webhook", verbosity=0)
    _wait_for_web()
    if "--empty" not in sys.argv:
        call_command("seed_customers", verbosity=0)


def _wait_for_web(seconds: float = 90) -> None:
    """Wait for the web process, which receives Stripe's webhooks."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{settings.BASE_URL}/api/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("The web process does not answer.")


if __name__ == "__main__":
    main()
