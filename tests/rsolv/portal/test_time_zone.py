from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from time_machine import TimeMachineFixture

from customers.models import ApiKey, Customer, User
from customers.services.manage_keys import create_api_key
from rsolv.portal import time_zone
from tests.tenants import Browser


@pytest.fixture
def old_key(acme: Customer, time_machine: TimeMachineFixture) -> ApiKey:
    """A key of Acme, created at 2026-03-07 14:05 UTC."""
    now = timezone.now()
    time_machine.move_to(datetime(2026, 3, 7, 14, 5, tzinfo=UTC))
    key = create_api_key(customer=acme, name="CI").api_key
    time_machine.move_to(now)
    return key


class TestPage:
    @pytest.mark.usefixtures("old_key")
    def test_shows_times_in_the_time_zone_of_the_user(self, alice: Browser) -> None:
        assert "7 Mar 2026, 14:05 UTC" in alice.get("/dashboard/keys/").text
        User.objects.update(time_zone="Asia/Tokyo")
        assert "7 Mar 2026, 23:05 JST" in alice.get("/dashboard/keys/").text

    @pytest.mark.usefixtures("old_key")
    def test_uses_utc_for_an_unknown_time_zone(self, alice: Browser) -> None:
        User.objects.update(time_zone="Europe/Atlantis")
        assert "7 Mar 2026, 14:05 UTC" in alice.get("/dashboard/keys/").text

    def test_runs_no_query_for_an_anonymous_user(
        self, client: Client, db: None, django_assert_num_queries
    ) -> None:
        with django_assert_num_queries(0):
            assert client.get("/terms/").status_code == 200


def make_request(path: str, user: SimpleLazyObject) -> HttpRequest:
    request = RequestFactory(headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}=x"}).get(path)
    request.user = user
    return request


def read_active_zone(request: HttpRequest) -> str:
    """The time zone that is active while the middleware handles the request."""
    middleware = time_zone.TimeZoneMiddleware(lambda _: HttpResponse(timezone.get_current_timezone_name()))
    with timezone.override("Asia/Tokyo"):
        return str(middleware(request).text)  # type: ignore[attr-defined]


class TestTimeZoneMiddleware:
    def test_activates_the_time_zone_of_the_user(self) -> None:
        user = SimpleLazyObject(lambda: User(time_zone="Europe/Berlin"))
        assert read_active_zone(make_request("/status/", user)) == "Europe/Berlin"

    def test_uses_utc_while_the_database_is_unavailable(self) -> None:
        def load() -> User:
            raise DatabaseError

        assert read_active_zone(make_request("/status/", SimpleLazyObject(load))) == "UTC"

    def test_uses_utc_for_the_api(self) -> None:
        user = SimpleLazyObject(lambda: User(time_zone="Europe/Berlin"))
        assert read_active_zone(make_request("/api/health", user)) == "UTC"


class TestListTimeZones:
    def test_contains_places_without_abbreviations(self) -> None:
        names = time_zone.list_time_zones()
        assert {"Europe/Berlin", "America/New_York"} <= set(names)
        assert not {"EST", "Etc/GMT+5", "US/Eastern"} & set(names)

    def test_is_loaded_before_the_first_request(self) -> None:
        time_zone.list_time_zones.cache_clear()
        WSGIHandler()
        assert time_zone.list_time_zones.cache_info().currsize == 1
