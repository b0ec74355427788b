"""A fake of Stripe that speaks HTTP, keeps state, and can inject faults.

`python -m sandbox.stripe` serves it; `sandbox.stripe.server.StripeSandbox` embeds it in a test. It answers in
the shapes of API version 2026-08-26.dahlia and imports nothing of the apps.
"""

API_VERSION = "2026-08-26.dahlia"
