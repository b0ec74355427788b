from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics

LIST = "/staff/business_metrics/dailybusinessmetrics/"


@pytest.mark.django_db
class TestStaffList:
    def test_shows_ratios_with_counts_and_money_in_dollars(self, staff: Client) -> None:
        metrics = take_business_metrics(at=timezone.now())
        DailyBusinessMetrics.objects.filter(pk=metrics.pk).update(
            converted=3, convertible=25, recurring_cents=149700
        )
        page = staff.get(LIST).content.decode()
        assert "12% (3 of 25)" in page
        assert "$1,497.00" in page

    def test_shows_a_dash_without_a_value(self, staff: Client) -> None:
        take_business_metrics(at=timezone.now())
        assert ">–<" in staff.get(LIST).content.decode()

    def test_explains_each_metric(self, staff: Client) -> None:
        metrics = take_business_metrics(at=timezone.now())
        page = staff.get(f"{LIST}{metrics.pk}/change/").content.decode()
        assert "Had a paid plan 30 days ago and have none now." in page

    def test_cannot_be_edited(self, staff: Client) -> None:
        metrics = take_business_metrics(at=timezone.now())
        answer: Any = staff.post(f"{LIST}{metrics.pk}/change/", {"signups": 99})
        assert answer.status_code == 403
