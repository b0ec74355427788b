"""The only package that calls Stripe and parses its JSON. Callers receive dataclasses.

Every call has a timeout and at most two retries. It raises StripeUnavailable if the outcome is unknown or a
later attempt may succeed, and StripeRejected if Stripe rejects the request. A write for a customer carries an
idempotency key. Because Stripe keeps such keys for a day only, an object is also looked up before it is
created. Mirrored objects are copied to dj-stripe's tables (`mirror.py`) and read from there as snapshots
(`mirrored.py`, `snapshots.py`). Amounts are integer cents, times are aware datetimes in UTC.
Sources: https://docs.stripe.com/api (2026-08-26.dahlia), https://docs.stripe.com/api/idempotent_requests,
https://docs.stripe.com/billing/subscriptions/usage-based
"""
