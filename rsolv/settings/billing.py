"""Settings of Stripe, dj-stripe and billing: keys, timeouts, retention and grace periods."""

import re

from core.environment import env

STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com").rstrip("/")
if STRIPE_API_BASE != "https://api.stripe.com":
    STRIPE_API_HOST = STRIPE_API_BASE  # dj-stripe's name for the same setting
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
