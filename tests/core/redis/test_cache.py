import pytest
from django.core.cache import cache, caches
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def absent_cache(settings):
    """A cache with a Redis URL at which no server listens."""
    absent = {"BACKEND": "core.redis.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    settings.CACHES = {"default": absent}
    return caches["default"]


class TestFallbackRedisCache:
    def test_caches_in_the_process_while_redis_is_unavailable(self, absent_cache):
        absent_cache.set("name", "value", 10)
        assert absent_cache.get("name") == "value"
        assert [absent_cache.add("lock", True, 10) for _ in range(2)] == [True, False]
        assert [absent_cache.delete("name") for _ in range(2)] == [True, False]

    def test_limits_wrong_passwords_while_redis_is_unavailable(self, db, settings, absent_cache):
        settings.ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "2/m/ip"}
        form = {"login": UserFactory().email, "password": "wrong-wrong-wrong"}
        pages = [Client().post("/accounts/login/", form).content for _ in range(3)]
        assert [b"Too many failed" in page for page in pages] == [False, False, True]

    def test_allows_login_while_redis_is_unavailable(self, db, settings, absent_cache):
        settings.ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip"}
        user = UserFactory()
        user.set_password("correct-horse-battery")
        user.save()
        form = {"login": user.email, "password": "correct-horse-battery"}
        assert Client().post("/accounts/login/", form).status_code == 302


class TestDefaultCache:
    def test_keeps_a_count_among_many_others(self):
        """Otherwise an attacker who guesses passwords of many accounts would evict their own count."""
        cache.set("count", 5)
        cache.set_many({str(number): 1 for number in range(2000)})
        assert cache.get("count") == 5
