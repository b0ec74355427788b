import pytest
from django.core.cache import caches
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def absent_cache(settings):
    """A Redis at an address where nobody listens."""
    absent = {"BACKEND": "rsolv.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    settings.CACHES = {"default": absent}
    return caches["default"]


class TestForgivingRedisCache:
    def test_answers_like_an_empty_cache_while_redis_is_away(self, absent_cache):
        absent_cache.set("name", "value", 10)
        assert absent_cache.add("lock", True, 10) is True
        assert absent_cache.get("name", "nothing") == "nothing"
        assert absent_cache.delete("name") is False

    def test_lets_a_person_log_in_while_redis_is_away(self, db, settings, absent_cache):
        settings.ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip"}
        user = UserFactory()
        user.set_password("correct-horse-battery")
        user.save()
        form = {"login": user.email, "password": "correct-horse-battery"}
        assert Client().post("/accounts/login/", form).status_code == 302
