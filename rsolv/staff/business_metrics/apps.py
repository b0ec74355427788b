from django.apps import AppConfig


class BusinessMetricsConfig(AppConfig):
    name = "rsolv.staff.business_metrics"
    label = "business_metrics"
    verbose_name = "Business metrics"

    def ready(self) -> None:
        from core.metrics.collectors import register_collector

        from .gauges import read_business_metrics

        register_collector("business_metrics", read_business_metrics)
