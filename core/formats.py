"""Format amounts and times for pages, with times in the active time zone.

The active zone is that of the signed-in user (rsolv/portal/time_zone.py), and UTC in mails and tasks.
"""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

MINUTE, HOUR, DAY = 60, 3600, 86400
MONTHS = (
    *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")),
    *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
)


def format_cents(cents: int, *, currency: str = "usd", is_short: bool = False) -> str:
    """Format integer cents as `$1,234.50` or `1,234.50 EUR`. `is_short` drops `.00` from whole amounts."""
    whole, rest = divmod(abs(cents), 100)
    digits = f"{whole:,}" if is_short and not rest else f"{whole:,}.{rest:02d}"
    sign = "-" if cents < 0 else ""
    return f"{sign}${digits}" if currency.lower() == "usd" else f"{sign}{digits} {currency.upper()}"


def format_date(day: date) -> str:
    """Format as `7 Mar 2026`. A datetime is converted to the active time zone first."""
    if isinstance(day, datetime):
        day = timezone.localtime(day)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def format_exact(at: datetime) -> str:
    """Format as `7 Mar 2026, 14:05 UTC`, with the active zone's abbreviation or offset."""
    local = timezone.localtime(at)
    name = local.tzname() or "UTC"
    return f"{format_date(at)}, {local:%H:%M} {name if name.isalpha() else f'UTC{name}'}"


def format_relative(at: datetime, *, now: datetime) -> str:
    """Format as the time since `at` in its largest unit, or as the date after 31 days."""
    elapsed = now - at
    seconds = int(elapsed.total_seconds())
    if elapsed < timedelta(0) or elapsed >= timedelta(days=31):
        return gettext("just now") if -MINUTE < seconds < 0 else format_date(at)
    if seconds >= DAY:
        count = seconds // DAY
        return ngettext("%(count)d day ago", "%(count)d days ago", count) % {"count": count}
    if seconds >= HOUR:
        count = seconds // HOUR
        return ngettext("%(count)d hour ago", "%(count)d hours ago", count) % {"count": count}
    if seconds >= MINUTE:
        count = seconds // MINUTE
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", count) % {"count": count}
    return gettext("just now")
