"""Requests that are due at instants, sent then whether or not those before were answered."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from .tally import Answer

TIMEOUT_SECONDS = 60
# More than the servers have threads; each idle one costs the client a look at every request.
CONNECTIONS = 32
# Shorter than the server's: a request on a connection that is being closed is nobody's fault.
KEEP_ALIVE_SECONDS = 0.5


@dataclass(frozen=True)
class Shot:
    """A request; only its own `expected` status counts. `find_fault` says what is wrong with an answer."""

    path: str
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    due: float = 0.0
    method: str = "POST"
    expected: int = 200
    find_fault: Callable[[httpx.Response], str] | None = None


def fire(url: str, shots: Iterable[Shot], *, connections: int = CONNECTIONS) -> list[Answer]:
    """Send each when it is due, in seconds from now; the answers in the same order.

    One that finds every connection taken waits, which is in its latency.
    """
    return asyncio.run(_fire(url, list(shots), connections))


def fire_in_turn(url: str, series: Iterable[Iterable[Shot]]) -> list[Answer]:
    """Send the series side by side, and each one's requests one after the other, as a runner does."""
    return asyncio.run(_fire_in_turn(url, [list(shots) for shots in series]))


async def _fire(url: str, shots: list[Shot], connections: int) -> list[Answer]:
    free = asyncio.Semaphore(connections)  # the client's own queue costs more the longer it is
    async with _open(url, connections) as client:
        began = time.perf_counter() + 0.1

        async def send(shot: Shot) -> Answer:
            await asyncio.sleep(began + shot.due - time.perf_counter())
            async with free:
                return await _send(client, shot, due=began + shot.due)

        return await asyncio.gather(*map(send, shots))


async def _fire_in_turn(url: str, series: list[list[Shot]]) -> list[Answer]:
    async with _open(url, len(series)) as client:

        async def send_all(shots: list[Shot]) -> list[Answer]:
            return [await _send(client, shot, due=time.perf_counter()) for shot in shots]

        return [answer for answers in await asyncio.gather(*map(send_all, series)) for answer in answers]


def _open(url: str, connections: int) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEEP_ALIVE_SECONDS,
    )
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False)


async def _send(client: httpx.AsyncClient, shot: Shot, *, due: float) -> Answer:
    headers = {"Content-Type": "application/json", **shot.headers}
    try:
        answer = await client.request(shot.method, shot.path, content=shot.content, headers=headers)
    except httpx.HTTPError as error:
        return Answer(type(error).__name__, time.perf_counter() - due)
    seconds = time.perf_counter() - due
    if answer.status_code != shot.expected:
        return Answer(_name_refusal(answer), seconds)
    return Answer(shot.find_fault(answer) if shot.find_fault else "", seconds)


def _name_refusal(answer: httpx.Response) -> str:
    """`429 RATE_LIMITED`, or the status alone."""
    try:
        return f"{answer.status_code} {answer.json()['error']['code']}"
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
