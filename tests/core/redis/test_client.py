import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.redis.client import RedisClient, RedisUnavailable, get_redis_client

pytestmark = pytest.mark.services

UNREACHABLE = "redis://127.0.0.1:9/0"


@pytest.fixture
def redis_client() -> RedisClient:
    found = get_redis_client()
    assert found is not None
    return found


def ask_id(redis_client: RedisClient) -> int:
    """Return the id that Redis gave the connection."""
    return redis_client.execute(lambda client: int(client.client_id()))


class TestRedisClient:
    def test_keeps_one_connection_per_thread(self, redis_client):
        assert ask_id(redis_client) == ask_id(redis_client)

    def test_gives_each_thread_its_own_connection(self, redis_client):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(ask_id, redis_client).result() != ask_id(redis_client)

    def test_does_not_share_a_connection_with_a_forked_process(self, redis_client):
        own = ask_id(redis_client)
        reads, writes = os.pipe()
        if os.fork() == 0:
            os.write(writes, str(ask_id(redis_client)).encode())
            os._exit(0)
        os.wait()
        assert int(os.read(reads, 100)) != own
        assert ask_id(redis_client) == own

    def test_reconnects_after_redis_closed_the_connection(self, redis_client):
        before = ask_id(redis_client)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(redis_client.execute, lambda client: client.client_kill_filter(_id=before)).result()
        assert ask_id(redis_client) != before

    def test_runs_a_script_again_after_redis_flushed_it(self, redis_client):
        for _ in range(2):
            assert redis_client.run("return ARGV[1]", [], ["here"]) == b"here"
            redis_client.execute(lambda client: client.script_flush())

    def test_raises_redis_unavailable(self):
        unreachable = RedisClient(UNREACHABLE)
        with pytest.raises(RedisUnavailable):
            unreachable.execute(lambda client: client.ping())
        with pytest.raises(RedisUnavailable):
            unreachable.run("return 1", [], [])
