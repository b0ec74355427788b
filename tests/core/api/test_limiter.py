import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.api import limiter
from core.api.limiter import Limit

MANY, FEW = Limit("many", 120), Limit("few", 7)


@pytest.fixture(params=["redis", "process"])
def store(request, settings):
    """Run against Redis, if configured, and against the in-process store."""
    if request.param == "redis" and not settings.REDIS_URL:
        pytest.skip("needs Redis: make test-services")
    if request.param == "process":
        settings.REDIS_URL = ""


def passed(counts):
    return not counts[-1].is_over


@pytest.mark.usefixtures("store")
class TestCountRequest:
    def test_allows_exactly_the_limit_to_50_concurrent_threads(self):
        with ThreadPoolExecutor(50) as pool:
            found = list(pool.map(lambda _: passed(limiter.count_request([MANY], "acme")), range(500)))
        assert found.count(True) == 120

    def test_counts_each_caller_separately(self):
        assert [passed(limiter.count_request([FEW], "acme")) for _ in range(8)] == [True] * 7 + [False]
        assert passed(limiter.count_request([FEW], "other"))

    def test_counts_several_limits_and_reports_which_is_over(self):
        found = [limiter.count_request([MANY, FEW], "acme") for _ in range(8)]
        assert [(each.limit.name, each.count) for each in found[-1]] == [("many", 8), ("few", 8)]
        assert found[-1][-1].is_over and not found[-2][-1].is_over

    def test_does_not_count_requests_rejected_by_an_earlier_limit(self):
        for _ in range(8):
            limiter.count_request([FEW, MANY], "acme")
        assert limiter.peek(MANY, "acme").count == 7

    def test_allows_requests_again_in_the_next_window(self):
        short = Limit("short", 1, seconds=1)
        assert [passed(limiter.count_request([short], "acme")) for _ in range(2)] == [True, False]
        assert _wait_for(lambda: passed(limiter.count_request([short], "acme")))


def _wait_for(is_so):
    ends_at = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    return True


@pytest.mark.usefixtures("store")
class TestPeek:
    def test_does_not_count_as_a_request(self):
        limiter.count_request([FEW], "acme")
        assert [limiter.peek(FEW, "acme").remaining for _ in range(3)] == [6, 6, 6]

    def test_returns_the_full_limit_for_a_new_caller(self):
        count = limiter.peek(FEW, "acme")
        assert (count.remaining, count.milliseconds_left) == (7, 60_000)


class TestProcessWindows:
    def test_evict_the_oldest_when_there_are_too_many(self, monkeypatch, settings):
        settings.REDIS_URL = ""
        monkeypatch.setattr(limiter, "MAX_WINDOWS", 10)
        callers = [str(number) for number in range(50)]
        for caller in callers:
            limiter.count_request_in_process([FEW], caller)
        kept = [caller for caller in callers if limiter.peek(FEW, caller).count]
        assert kept == callers[-len(kept) :]
        assert 5 <= len(kept) <= 11
