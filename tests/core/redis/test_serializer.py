"""The cache in Redis holds JSON: values round-trip, and foreign values cannot run code."""

import pickle
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as configured
from django.core.cache import caches
from django.test import Client

from core.api import limiter
from core.api.limiter import Limit
from core.redis.serializer import JsonSerializer, UnreadableValue
from rsolv.celery import app
from tests.factories import UserFactory

VALUES: list[Any] = [
    None,
    True,
    0,
    -(2**40),
    1.5,
    "text",
    "12",
    "\x00 é 🦀",
    b"\x00\xff",
    [1, [2, (3,)]],
    (1, "a"),
    {1, 2},
    frozenset({"a"}),
    {"a": {"b": [None]}},
    {1: "int key", (2, 3): "tuple key"},
    {"__type__": "set", "value": [1]},
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    datetime(2026, 1, 2),
    date(2026, 1, 2),
    timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    UUID(int=7),
]


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def redis_cache() -> Any:
    return caches["default"]


class TestJsonSerializer:
    @pytest.mark.parametrize("value", VALUES, ids=repr)
    def test_round_trips(self, value: Any) -> None:
        written = JsonSerializer().dumps(value)
        found = JsonSerializer().loads(str(written).encode() if isinstance(written, int) else written)
        assert (type(found), found) == (type(value), value)

    def test_rejects_a_value_that_it_could_not_read_back(self) -> None:
        with pytest.raises(TypeError):
            JsonSerializer().dumps({"a": object()})

    @pytest.mark.parametrize(
        "written",
        [
            pickle.dumps({"a": 1}),
            b"",
            b"{",
            b"\xff\xfe",
            b'{"__type__": "os.system", "value": "id"}',
            b'{"__type__": "datetime", "value": "never"}',
            b'{"__type__": ["set"], "value": []}',
            b'{"__type__": "set"}',
            b'{"__type__": "decimal", "value": "x"}',
            b'{"__type__": "dict", "value": 3}',
            b"[" * 100_000,
        ],
        ids=lambda written: repr(written[:20]),
    )
    def test_rejects_anything_else(self, written: bytes) -> None:
        with pytest.raises(UnreadableValue):
            JsonSerializer().loads(written)


@pytest.mark.services
class TestCache:
    def test_does_not_unpickle_foreign_values(self, redis_cache: Any, tmp_path: Path) -> None:
        made = tmp_path / "pwned"
        redis_cache.set("name", "ours")
        client = redis_cache.client_guard.client
        client.set(redis_cache.make_key("name"), pickle.dumps(Bomb(made)))
        assert redis_cache.get("name", "nothing") == "nothing"
        assert not made.exists()

    def test_treats_an_unreadable_value_as_a_miss(self, redis_cache: Any) -> None:
        client = redis_cache.client_guard.client
        client.set(redis_cache.make_key("old"), pickle.dumps([1, 2]))
        redis_cache.set("new", 3)
        assert redis_cache.get_many(["old", "new", "none"]) == {"new": 3}
        assert redis_cache.get("old", "nothing") == "nothing"
        assert client.get(redis_cache.make_key("old")) is None
        assert limiter.count_request([Limit("api", 5)], "acme")[0].count == 1

    def test_does_not_treat_a_rejected_command_as_an_outage(self, redis_cache: Any) -> None:
        redis_cache.set("word", "no number")
        with suppress(ValueError):
            redis_cache.incr("word")
        assert limiter.count_request([Limit("api", 5)], "acme")[0].count == 1

    def test_counts_in_redis(self, redis_cache: Any) -> None:
        redis_cache.set("count", 1)
        assert redis_cache.incr("count", 4) == 5
        assert redis_cache.get("count") == 5

    def test_contains_no_pickle_after_a_login(self, db: None, redis_cache: Any, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "2/m/ip"}
        user = UserFactory()
        answers = [
            Client().post("/accounts/login/", {"login": user.email, "password": "wrong"}) for _ in range(3)
        ]
        assert "Too many" in answers[-1].text
        client = redis_cache.client_guard.client
        keys = client.keys("*allauth*")
        assert keys
        assert not [key for key in keys if client.get(key).startswith(b"\x80")]


def test_queue_accepts_json_only() -> None:
    assert set(app.conf.accept_content) == set(app.conf.result_accept_content) == {"json"}
    assert {app.conf.task_serializer, app.conf.result_serializer, app.conf.event_serializer} == {"json"}


def test_sessions_are_json() -> None:
    assert configured.SESSION_SERIALIZER.endswith("JSONSerializer")


# The engine and its child processes use pickle over a private socket: see docs/decisions/019.
ENGINE = {"engine_child.py", "engine_processes.py"}


def test_no_source_module_unpickles() -> None:
    folders = ("rsolv", "customers", "phases", "billing", "provisioning", "sandbox", "deploy")
    root = Path(configured.BASE_DIR)
    words = ("import pickle", "import marshal", "import shelve", "import dill", "yaml.load(", "yaml.unsafe")
    found = [
        f"{path}: {word}"
        for folder in folders
        for path in (root / folder).rglob("*.py")
        for word in words
        if word in path.read_text() and path.name not in ENGINE
    ]
    assert not found
