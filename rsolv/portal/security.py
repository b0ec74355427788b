"""How to report a vulnerability: a page for people, and security.txt (RFC 9116) for scanners."""

from datetime import UTC, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.http.base_url import build_base_url

CONTACT = "security@rsolv.dev"
# RFC 9116 recommends less than a year. The date is computed per request, so it is never in the past.
VALID = timedelta(days=180)
KEPT_SECONDS = 3600


@require_safe
def show_security(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/security.html", {"contact": CONTACT})


@require_safe
def show_security_txt(request: HttpRequest) -> HttpResponse:
    """Serve security.txt. See https://www.rfc-editor.org/rfc/rfc9116."""
    expires_at = datetime.combine(timezone.now().date() + VALID, time.min, UTC)
    lines = (
        f"Contact: mailto:{CONTACT}",
        f"Expires: {expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {build_base_url(reverse('security-txt'))}",
        f"Policy: {build_base_url(reverse('security'))}",
    )
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}"},
    )
