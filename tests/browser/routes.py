"""All pages there are, from the URL configuration, and who of some people gets to see each."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import Resolver404
from playwright.sync_api import APIResponse

from .live_server_stack import Person

# The staff admin is Unfold's, the API is no page. Its reference is one.
# Nor are allauth's old addresses, which lead to the new ones.
NOT_OURS = re.compile(r"(staff|api(?!/docs)|accounts/social)\b")
LINK = re.compile(r"""(?:href|action)=["'](/[^"'#]*)""")


@dataclass
class RouteMap:
    """`paths` and `seen_by` are by route. A link on a page is an example for a route with arguments."""

    paths: dict[str, str] = field(default_factory=dict)
    seen_by: dict[str, str] = field(default_factory=dict)
    # What answers GET with no page: another method is wanted, or it is a file.
    not_pages: set[str] = field(default_factory=set)

    def explore(self, name: str, person: Person) -> None:
        """Appearance for every page that nobody has seen so far, and for those which they lead to."""
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
        """An address that came by mail."""
        self.paths |= dict(_find_examples(f'href="{path}"'))

    def list_unseen(self) -> list[str]:
        return [route for route in list_routes() if route not in self.seen_by.keys() | self.not_pages]

    def _note_other(self, route: str, answer: APIResponse) -> None:
        assert answer.status < 500, f"{answer.url} answers {answer.status}"
        if answer.status in (200, 405):
            self.not_pages.add(route)


def list_routes() -> list[str]:
    """Every route of a page, as `dashboard/keys/<uuid:key_id>/rotate/`."""
    return [route for route in _walk(get_resolver().url_patterns) if not NOT_OURS.match(route)]


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for each in patterns:
        route = prefix + _tidy(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        else:
            yield route


def _tidy(route: str) -> str:
    """Without the signs of a regular expression, which some of allauth's are."""
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", re.sub(r"\^|\$|\\Z", "", route))


def _find_examples(html: str) -> Iterator[tuple[str, str]]:
    """(route, path) of each link to a page with arguments."""
    for path in LINK.findall(html):
        route = find_route(path)
        if "<" in route and not NOT_OURS.match(route):
            yield route, path


def find_route(url: str) -> str:
    """The route that answers, nothing where none does."""
    try:
        return _tidy(get_resolver().resolve(urlsplit(url).path).route)
    except Resolver404:
        return "nothing"


def _is_page(answer: APIResponse) -> bool:
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")
