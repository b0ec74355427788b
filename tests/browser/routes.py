"""All pages of the URL configuration, and which person can open each."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import Resolver404
from playwright.sync_api import APIResponse

from .live_server_stack import Person

# Not pages of ours: the staff admin, which is Unfold's; the API, except for its reference; and allauth's old
# addresses, which redirect to the new ones.
NOT_OURS = re.compile(r"(staff|api(?!/docs)|accounts/social)\b")
LINK = re.compile(r"""(?:href|action)=["'](/[^"'#]*)""")


@dataclass
class RouteMap:
    """`paths` and `seen_by` are by route. A link on a page is an example for a route with arguments."""

    paths: dict[str, str] = field(default_factory=dict)
    seen_by: dict[str, str] = field(default_factory=dict)
    # Routes that return no page to GET: they require another method, or return a file.
    not_pages: set[str] = field(default_factory=set)

    def explore(self, name: str, person: Person) -> None:
        """Open every page that no person has opened so far, and follow the links on it."""
        waiting = {route: f"/{route}" for route in list_routes() if "<" not in route} | self.paths
        tried: set[str] = set()
        while waiting := self._choose(waiting, tried):
            tried |= set(waiting.values())
            found: dict[str, str] = {}
            for route, path in waiting.items():
                answer = person.page.context.request.get(path)
                if not _is_page(answer):
                    self._note_other(route, answer)
                elif find_route(answer.url) == route:
                    self.paths[route], self.seen_by[route] = path, name
                    found |= dict(_find_examples(answer.text()))
            waiting = found

    def _choose(self, waiting: dict[str, str], tried: set[str]) -> dict[str, str]:
        return {r: path for r, path in waiting.items() if r not in self.seen_by and path not in tried}

    def add(self, path: str) -> None:
        """Add an address from a mail."""
        self.paths |= dict(_find_examples(f'href="{path}"'))

    def list_unseen(self) -> list[str]:
        return [route for route in list_routes() if route not in self.seen_by.keys() | self.not_pages]

    def _note_other(self, route: str, answer: APIResponse) -> None:
        assert answer.status < 500, f"{answer.url} answers {answer.status}"
        if answer.status in (200, 405):
            self.not_pages.add(route)


def list_routes() -> list[str]:
    """Return the route of every page, for example `dashboard/keys/<uuid:key_id>/rotate/`."""
    return [route for route in _walk(get_resolver().url_patterns) if not NOT_OURS.match(route)]


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for each in patterns:
        route = prefix + _tidy(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        else:
            yield route


def _tidy(route: str) -> str:
    """Remove the syntax of regular expressions, which some of allauth's routes are."""
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", re.sub(r"\^|\$|\\Z", "", route))


def _find_examples(html: str) -> Iterator[tuple[str, str]]:
    """Yield the route and the path of each link to a page with arguments."""
    for path in LINK.findall(html):
        route = find_route(path)
        if "<" in route and not NOT_OURS.match(route):
            yield route, path


def find_route(url: str) -> str:
    """Return the route of a URL, or `nothing` if there is none."""
    try:
        return _tidy(get_resolver().resolve(urlsplit(url).path).route)
    except Resolver404:
        return "nothing"


def _is_page(answer: APIResponse) -> bool:
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")
