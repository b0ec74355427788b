from django.apps import AppConfig


class SeedConfig(AppConfig):
    """Management commands that seed customers in every state. Never installed in production."""

    name = "sandbox.seed"
