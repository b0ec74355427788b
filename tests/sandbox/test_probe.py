from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sandbox.probe import NotReachable, find_database, find_redis


@pytest.mark.parametrize(
    ("find", "url"),
    [(find_database, "postgres://nobody@127.0.0.1:9/none"), (find_redis, "redis://127.0.0.1:9/0")],
)
def test_names_the_url_that_does_not_answer(find: Callable[[Sequence[str]], str], url: str) -> None:
    with pytest.raises(NotReachable, match="127.0.0.1:9"):
        find([url])


@pytest.mark.services
def test_finds_the_first_that_answers(settings: Any) -> None:
    assert find_redis(["redis://127.0.0.1:9/0", settings.REDIS_URL]) == settings.REDIS_URL
