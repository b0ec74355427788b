"""Client of RSOLV's public API, as the Action calls it."""

from types import TracebackType
from typing import Any

import httpx


class ApiError(Exception):
    """RSOLV answered with an error."""


class RsolvApi:
    """A client with one API key. Each method returns the JSON response, or raises ApiError if it is not 2xx.

    Raises httpx.HTTPError if there is no response.
    """

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1/",
            headers={"X-API-Key": key, "User-Agent": "rsolv-action"},
            timeout=30,
            trust_env=False,
        )

    def __enter__(self) -> "RsolvApi":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def store_phase(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", "phases/store", json=body)

    def retrieve_phases(self, *, repo: str, issue: int, commit: str) -> dict[str, Any]:
        query = {"repo": repo, "issue": issue, "commit": commit}
        return self._call("GET", "phases/retrieve", params=query)

    def analyze(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", "test-integration/analyze", json=body)

    def generate(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", "test-integration/generate", json=body)

    def get_entitlement(self) -> dict[str, Any]:
        return self._call("GET", "entitlement")

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **options)
        if not answer.is_success:
            raise ApiError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found
