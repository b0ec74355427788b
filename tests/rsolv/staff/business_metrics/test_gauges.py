import pytest
from django.utils import timezone

from rsolv.staff.business_metrics.gauges import read_business_metrics
from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics


def read_values() -> dict[str, float]:
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for metric in read_business_metrics()
        for sample in metric.samples
    }


@pytest.mark.django_db
class TestReadBusinessMetrics:
    def test_is_empty_before_the_first_day(self) -> None:
        assert read_values() == {}

    def test_reports_the_last_day(self) -> None:
        take_business_metrics(at=timezone.now())
        DailyBusinessMetrics.objects.update(on_teams=3, recurring_cents=149700, churned=1, churnable=4)
        found = read_values()
        assert found["rsolv_business_customers[teams]"] == 3
        assert found["rsolv_business_recurring_revenue_cents"] == 149700
        assert found["rsolv_business_churn_ratio"] == 0.25

    def test_omits_metrics_without_a_value(self) -> None:
        take_business_metrics(at=timezone.now())
        assert "rsolv_business_churn_ratio" not in read_values()
        assert not [name for name in read_values() if "first_scan" in name]

    def test_reports_the_time_to_the_first_scan(self) -> None:
        take_business_metrics(at=timezone.now())
        DailyBusinessMetrics.objects.update(first_scan_median_seconds=60, first_scan_p90_seconds=600)
        assert read_values()["rsolv_business_first_scan_seconds[0.9]"] == 600
