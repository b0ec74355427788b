from django.apps import AppConfig


class SeedConfig(AppConfig):
    """Customers in every state, for the demo and for looking at pages. Never installed in production."""

    name = "sandbox.seed"
