import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.redis.client import RedisClient, RedisUnavailable, get_redis_client

pytestmark = pytest.mark.services

NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture
def link() -> RedisClient:
    found = get_redis_client()
    assert found is not None
    return found


def ask_id(link: RedisClient) -> int:
    """Redis's own number of the connection."""
    return link.execute(lambda client: int(client.client_id()))


class TestLink:
    def test_keeps_one_connection_for_a_thread(self, link):
        assert ask_id(link) == ask_id(link)

    def test_gives_each_thread_its_own(self, link):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(ask_id, link).result() != ask_id(link)

    def test_shares_none_with_a_process_that_was_forked(self, link):
        own = ask_id(link)
        reads, writes = os.pipe()
        if os.fork() == 0:
            os.write(writes, str(ask_id(link)).encode())
            os._exit(0)
        os.wait()
        assert int(os.read(reads, 100)) != own
        assert ask_id(link) == own

    def test_opens_anew_what_redis_has_closed(self, link):
        before = ask_id(link)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(link.execute, lambda client: client.client_kill_filter(_id=before)).result()
        assert ask_id(link) != before

    def test_runs_a_script_that_redis_has_lost(self, link):
        for _ in range(2):
            assert link.run("return ARGV[1]", [], ["here"]) == b"here"
            link.execute(lambda client: client.script_flush())

    def test_says_that_nobody_is_there(self):
        nobody = RedisClient(NOBODY)
        with pytest.raises(RedisUnavailable):
            nobody.execute(lambda client: client.ping())
        with pytest.raises(RedisUnavailable):
            nobody.run("return 1", [], [])
