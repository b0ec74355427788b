"""Detectors that detect-secrets lacks: our own API keys, and Stripe's keys of any length."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class RsolvKeyDetector(RegexBasedDetector):
    """`rsolv_` and 43 base64url characters. Only lowercase letters would be the name of a metric."""

    secret_type = "RSOLV API key"  # noqa: S105 - a display name
    denylist = (re.compile(r"rsolv_(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),)


class StripeKeyDetector(RegexBasedDetector):
    secret_type = "Stripe live key"  # noqa: S105 - a display name
    denylist = (re.compile(r"[rs]k_live_[0-9A-Za-z]{16,}"),)


class WebhookSecretDetector(RegexBasedDetector):
    secret_type = "Stripe webhook secret"  # noqa: S105 - a display name
    denylist = (re.compile(r"whsec_[A-Za-z0-9+/]{32,}"),)


class KeyFileDetector(RegexBasedDetector):
    """The first line of a private key, anywhere. detect-secrets finds only files that are a whole key."""

    secret_type = "Private key"  # noqa: S105 - a display name
    denylist = (re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),)
