"""Pages show instants in the zone of the person who looks."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

# Names of places; what else there is are older names of the same and fixed distances.
AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def list_time_zones() -> tuple[str, ...]:
    """Read once: 600 files are opened for it, which takes 20 ms, and 100 or more from a disk."""
    return tuple(sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS))


class TimeZoneMiddleware:
    """Activates the zone of who is logged in. The API has no person, and answers in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        list_time_zones()  # here, what serves pages waits as it starts; commands and workers never do

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(_find_zone(request)):
            return self.get_response(request)


def _find_zone(request: HttpRequest) -> ZoneInfo | None:
    """None is UTC. A stranger is not looked up, nor is anybody while the database is away."""
    if request.path.startswith("/api/") or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    try:
        name = getattr(request.user, "time_zone", "")
        return ZoneInfo(name) if name else None
    except (DatabaseError, KeyError, ValueError):  # a name that the system has forgotten
        return None
