from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "rsolv.figures"
    label = "figures"
    verbose_name = "Business figures"
