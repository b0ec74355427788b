from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "rsolv.portal"
    label = "portal"
