"""A Stripe that speaks HTTP, keeps state, and can be told to misbehave.

`python -m sandbox.stripe` serves it; `sandbox.stripe.server.StripeSandbox` embeds it in a test.
It answers in the shapes of API version 2026-08-26.dahlia and knows nothing of the apps.
"""

API_VERSION = "2026-08-26.dahlia"
