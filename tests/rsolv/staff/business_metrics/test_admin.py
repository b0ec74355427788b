from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics

LIST = "/staff/business_metrics/dailybusinessmetrics/"


@pytest.fixture
def staff_browser(staff: Client) -> Client:
    return staff


@pytest.mark.django_db
class TestStaffList:
    def test_shows_ratios_with_their_counts_and_money_in_dollars(self, staff_browser: Client) -> None:
        figures = take_business_metrics(at=timezone.now())
        DailyBusinessMetrics.objects.filter(pk=figures.pk).update(
            converted=3, convertible=25, recurring_cents=149700
        )
        page = staff_browser.get(LIST).content.decode()
        assert "12% (3 of 25)" in page
        assert "$1,497.00" in page

    def test_shows_a_dash_where_there_was_nobody(self, staff_browser: Client) -> None:
        take_business_metrics(at=timezone.now())
        assert ">–<" in staff_browser.get(LIST).content.decode()

    def test_tells_what_each_figure_means(self, staff_browser: Client) -> None:
        figures = take_business_metrics(at=timezone.now())
        page = staff_browser.get(f"{LIST}{figures.pk}/change/").content.decode()
        assert "Had a paid plan 30 days ago and have none now." in page

    def test_lets_nobody_edit_a_day(self, staff_browser: Client) -> None:
        figures = take_business_metrics(at=timezone.now())
        answer: Any = staff_browser.post(f"{LIST}{figures.pk}/change/", {"signups": 99})
        assert answer.status_code == 403
