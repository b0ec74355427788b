from datetime import UTC, datetime

from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError
from django.test import Client, RequestFactory

from customers.models import ApiKey, User
from customers.services.manage_keys import create_api_key
from rsolv.portal import time_zone
from tests.rsolv.portal.conftest import Browser


def make_old_key(browser: Browser) -> None:
    create_api_key(customer=browser.customer, name="CI")
    ApiKey.objects.update(created_at=datetime(2026, 3, 7, 14, 5, tzinfo=UTC))


class TestAPage:
    def test_shows_instants_in_the_zone_of_who_looks(self, alice: Browser) -> None:
        make_old_key(alice)
        assert "7 Mar 2026, 14:05 UTC" in alice.get("/dashboard/keys/").text
        User.objects.update(time_zone="Asia/Tokyo")
        assert "7 Mar 2026, 23:05 JST" in alice.get("/dashboard/keys/").text

    def test_is_in_utc_where_the_zone_is_unknown(self, alice: Browser) -> None:
        make_old_key(alice)
        User.objects.update(time_zone="Europe/Atlantis")
        assert "7 Mar 2026, 14:05 UTC" in alice.get("/dashboard/keys/").text

    def test_asks_nothing_about_a_stranger(self, client: Client, db: None, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert client.get("/terms/").status_code == 200


class TestFindZone:
    def test_is_utc_while_the_database_is_away(self, settings) -> None:
        class Request:
            path, COOKIES = "/status/", {settings.SESSION_COOKIE_NAME: "x"}

            @property
            def user(self) -> User:
                raise DatabaseError

        assert time_zone._find_zone(Request()) is None  # type: ignore[arg-type]

    def test_leaves_the_api_alone(self, settings) -> None:
        request = RequestFactory(headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}=x"}).get("/api/health")
        assert time_zone._find_zone(request) is None


class TestListTimeZones:
    def test_has_places_and_no_abbreviations(self) -> None:
        names = time_zone.list_time_zones()
        assert {"Europe/Berlin", "America/New_York"} <= set(names)
        assert not {"EST", "Etc/GMT+5", "US/Eastern"} & set(names)

    def test_is_read_before_the_first_request(self) -> None:
        time_zone.list_time_zones.cache_clear()
        WSGIHandler()
        assert time_zone.list_time_zones.cache_info().currsize == 1
