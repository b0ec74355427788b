from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "rsolv.staff.business_metrics"
    label = "figures"
    verbose_name = "Business figures"
