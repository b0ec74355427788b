"""The one package that speaks to Stripe, and the only one that reads its JSON. Callers get snapshots.

A function that calls out has a timeout and two bounded retries, and raises StripeUnavailable when the answer
is unknown or may differ later, StripeRejected when Stripe rejects the request. A write for a customer carries
an idempotency key, and what it creates is looked for before it is created. Objects that we keep are copied to
dj-stripe's tables (`mirror.py`) and read from there as snapshots (`mirrored.py`, `snapshots.py`). Sources:
https://docs.stripe.com/api (2026-08-26.dahlia), https://docs.stripe.com/billing/subscriptions/usage-based
"""
