"""Send requests when they are due, whether or not earlier ones have been answered."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from .results import Answer

TIMEOUT_SECONDS = 60
# More than the servers have threads, but not many more: each idle connection costs the client CPU time.
CONNECTIONS = 32
# Shorter than the server's, so that no request is sent on a connection that the server is closing.
KEEP_ALIVE_SECONDS = 0.5


@dataclass(frozen=True)
class TimedRequest:
    """A request that is due at a time, in seconds from the start.

    It succeeds if the status is `expected` and `find_problem`, which gets the response, returns "".
    """

    path: str
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    due: float = 0.0
    method: str = "POST"
    expected: int = 200
    find_problem: Callable[[httpx.Response], str] | None = None


def send_all(url: str, requests: Iterable[TimedRequest], *, connections: int = CONNECTIONS) -> list[Answer]:
    """Send each request when it is due, and return the results in the same order.

    The latency includes waiting for a free connection.
    """
    return asyncio.run(_send_all(url, list(requests), connections))


def send_in_sequence(url: str, series: Iterable[Iterable[TimedRequest]]) -> list[Answer]:
    """Send the series in parallel, and the requests of each series in sequence, as a runner does."""
    return asyncio.run(_send_in_sequence(url, [list(requests) for requests in series]))


async def _send_all(url: str, requests: list[TimedRequest], connections: int) -> list[Answer]:
    free = asyncio.Semaphore(connections)  # httpx's own queue gets slow when it is long
    async with _open(url, connections) as client:
        began = time.perf_counter() + 0.1  # after all coroutines have been created

        async def send(request: TimedRequest) -> Answer:
            await asyncio.sleep(began + request.due - time.perf_counter())
            async with free:
                return await _send(client, request, due=began + request.due)

        return await asyncio.gather(*map(send, requests))


async def _send_in_sequence(url: str, series: list[list[TimedRequest]]) -> list[Answer]:
    async with _open(url, len(series)) as client:

        async def send_all(requests: list[TimedRequest]) -> list[Answer]:
            return [await _send(client, request, due=time.perf_counter()) for request in requests]

        return [answer for answers in await asyncio.gather(*map(send_all, series)) for answer in answers]


def _open(url: str, connections: int) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEEP_ALIVE_SECONDS,
    )
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False)


async def _send(client: httpx.AsyncClient, request: TimedRequest, *, due: float) -> Answer:
    headers = {"Content-Type": "application/json", **request.headers}
    try:
        answer = await client.request(request.method, request.path, content=request.content, headers=headers)
    except httpx.HTTPError as error:
        return Answer(type(error).__name__, time.perf_counter() - due)
    seconds = time.perf_counter() - due
    if answer.status_code != request.expected:
        return Answer(_name_rejection(answer), seconds)
    return Answer(request.find_problem(answer) if request.find_problem else "", seconds)


def _name_rejection(answer: httpx.Response) -> str:
    """Return status and error code, such as `429 RATE_LIMITED`, or only the status if there is no code."""
    try:
        return f"{answer.status_code} {answer.json()['error']['code']}"
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
