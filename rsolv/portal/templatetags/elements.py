"""Template tags for the elements that pages are composed of: `{% load elements %}`.

Their templates are in templates/elements/. Elements without content are tags (`{% badge "active" %}`), those
with content are blocks (`{% panel "Fixes" %}…{% endpanel %}`).
"""

from datetime import datetime
from email.utils import parseaddr
from typing import Any, Literal

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField, CheckboxInput
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.formats import format_cents, format_date, format_exact, format_relative
from core.http.user_agents import describe_browser
from customers.models import Membership, User
from customers.roles import NAMES
from customers.selectors import get_membership

register = template.Library()

Tone = Literal["good", "warn", "bad", "quiet"]

# The label and color of every state that a page shows.
STATES: dict[str, tuple[str | Promise, Tone]] = {
    # subscription
    "trialing": (_("Active"), "good"),
    "exhausted": (_("Used up"), "warn"),
    "pending": (_("Being set up"), "warn"),
    "active": (_("Active"), "good"),
    "past_due": (_("Payment failed"), "warn"),
    "unpaid": (_("Unpaid"), "bad"),
    "canceled": (_("Canceled"), "bad"),
    # fix
    "succeeded": (_("Fixed"), "good"),
    "failed": (_("Failed"), "bad"),
    "unverified": (_("Not verified"), "warn"),
    "proved": (_("Proved"), "good"),
    "not_proved": (_("Not proved"), "quiet"),
    # setup step
    "done": (_("Done"), "good"),
    # vulnerability
    "critical": (_("Critical"), "bad"),
    "high": (_("High"), "bad"),
    "medium": (_("Medium"), "warn"),
    "low": (_("Low"), "quiet"),
    # fix in the ledger
    "trial": (_("Included in trial"), "quiet"),
    "unbilled": (_("Not billed"), "quiet"),
    "to_be_metered": (_("To be metered"), "quiet"),
    "metered": (_("Metered"), "quiet"),
    "rejected": (_("Under review"), "warn"),
    # invoice
    "draft": (_("Draft"), "quiet"),
    "open": (_("Due"), "warn"),
    "paid": (_("Paid"), "good"),
    "uncollectible": (_("Not collected"), "bad"),
    "void": (_("Void"), "quiet"),
    "refunded": (_("Refunded"), "quiet"),
    "disputed": (_("Disputed"), "bad"),
    "differs": (_("Differs"), "bad"),
    # fix on an invoice
    "red": (_("Red before"), "bad"),
    "green": (_("Green after"), "good"),
    "voided": (_("Voided"), "quiet"),
    "credited": (_("Credited"), "good"),
    # API key
    "ending": (_("Being replaced"), "warn"),
    "revoked": (_("Revoked"), "quiet"),
    "expired": (_("Expired"), "quiet"),
    # claim on a namespace
    "proven": (_("Proven"), "good"),
    "provisional": (_("Provisional"), "quiet"),
    # member
    "you": (_("You"), "quiet"),
    # second step at login
    "off": (_("Off"), "quiet"),
    # email address
    "confirmed": (_("Confirmed"), "good"),
    "unconfirmed": (_("Not confirmed"), "warn"),
    "primary": (_("Primary"), "quiet"),
}

# The side navigation: (heading, ((URL name, label), …)). Links that the user's role does not permit are left
# out, and so are headings without links.
NAVIGATION = (
    (
        _("Work"),
        (
            ("dashboard", _("Overview")),
            ("fixes", _("Fixes")),
            ("repositories", _("Repositories")),
            ("usage", _("Usage")),
            ("api-docs", _("API reference")),
        ),
    ),
    (_("Money"), (("billing", _("Billing")), ("billing-invoices", _("Invoices")))),
    (
        _("Account"),
        (("setup", _("Setup")), ("keys", _("API keys")), ("team", _("Team")), ("audit-log", _("Audit log"))),
    ),
    (
        _("You"),
        (("settings", _("Settings")), ("mfa_index", _("Security")), ("account_email", _("Email addresses"))),
    ),
)
BILLING_LINKS = ("billing", "billing-invoices")
MANAGER_LINKS = ("audit-log",)
MEMBER_LINKS = ("team", "settings")

# Pages that the navigation does not list, and the link that is marked as current on them.
PARENTS = {
    "fix": "fixes",
    "billing-invoice": "billing-invoices",
    "billing-fix": "billing-invoices",
    **{f"billing-{name}": "billing" for name in ("plans", "return", "change", "cancel", "cap")},
    "team-invite": "team",
    **{f"settings-{name}": "settings" for name in ("profile", "company", "mail", "close")},
    "account_change_password": "mfa_index",
    "account_set_password": "mfa_index",
    "usersessions_list": "mfa_index",
    "socialaccount_connections": "mfa_index",
    **{f"mfa_{name}_totp": "mfa_index" for name in ("activate", "deactivate")},
    **{f"mfa_{name}_recovery_codes": "mfa_index" for name in ("view", "generate")},
    **{f"mfa_{name}_webauthn": "mfa_index" for name in ("list", "add", "edit", "remove")},
}


@register.filter
def cents(amount: int) -> str:
    """Format integer cents: `123450|cents` is `$1,234.50`."""
    return format_cents(amount)


@register.filter
def words(state: str) -> str:
    """Replace underscores by spaces: `"needs_response"|words` is `needs response`."""
    return state.replace("_", " ")


@register.filter
def lines(texts: list[str]) -> str:
    """Join texts with newlines, for a `<pre>`."""
    return "\n".join(texts)


@register.filter
def browser(user_agent: str) -> str:
    """Name the browser of a User-Agent header: `session.user_agent|browser` is `Firefox on Linux`."""
    return describe_browser(user_agent)


@register.simple_tag
def support_email() -> str:
    """Return the support address, without a display name."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


@register.filter
def role_name(role: str) -> str:
    """Return the display name of a role."""
    return str(NAMES.get(role, role))


@register.inclusion_tag("elements/badge.html")
def badge(state: str, label: str = "", tone: str = "") -> dict[str, Any]:
    """A state as a colored label. An unknown state is shown by its own name in a quiet tone."""
    words, usual = STATES.get(state, (state.replace("_", " ").capitalize(), "quiet"))
    return {"label": label or words, "tone": tone or usual}


@register.inclusion_tag("elements/button.html")
def button(
    label: str, kind: str = "plain", href: str = "", name: str = "", form: str = "", rel: str = ""
) -> dict[str, Any]:
    """A link if `href` is given, otherwise a submit button.

    `kind` is primary (at most one on a page), plain, quiet or danger.
    """
    return {"label": label, "kind": kind, "href": href, "name": name, "form": form, "rel": rel}


@register.inclusion_tag("elements/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form field with its label, help text and errors, which the input refers to by ARIA attributes."""
    placeholder = bound.field.widget.attrs.get("placeholder", "")
    repeats_label = placeholder.lower() in (str(bound.label).lower(), "email address", "password")
    return {
        "field": bound,
        "input": bound.as_widget(attrs={"placeholder": ""} if repeats_label else None),
        "is_hidden": bound.is_hidden,
        "is_check": isinstance(bound.field.widget, CheckboxInput),
    }


@register.inclusion_tag("elements/fields.html")
def fields(form: BaseForm) -> dict[str, Any]:
    """All of a form: its non-field errors, then its fields."""
    return {"form": form}


@register.inclusion_tag("elements/money.html")
def money(amount_cents: int, currency: str = "usd", short: bool = False) -> dict[str, Any]:
    """An amount of integer cents. `short` omits `.00`."""
    return {"text": format_cents(amount_cents, currency=currency, is_short=short)}


@register.inclusion_tag("elements/time.html")
def time(at: datetime, style: str = "relative") -> dict[str, Any]:
    """A time, as how long ago it was or, with `style="date"`, as its date. The title has the exact time."""
    text = format_date(at) if style == "date" else format_relative(at, now=timezone.now())
    return {"at": at, "text": text, "exact": format_exact(at)}


@register.inclusion_tag("elements/meter.html")
def meter(used: int, included: int, label: str) -> dict[str, Any]:
    """A progress bar of `used` towards `included`. Usage beyond `included` is a separate segment."""
    scale = max(used, included, 1)
    within = min(used, included)
    return {
        "label": label,
        "used": used,
        "included": included,
        "scale": scale,
        "within_percent": f"{100 * within / scale:.2f}%",
        "beyond_start": f"{100 * included / scale:.2f}%",
        "beyond_percent": f"{100 * (used - within) / scale:.2f}%",
        "beyond": used - within,
        "is_spent": used >= included,
    }


@register.inclusion_tag("elements/copyable.html")
def copyable(text: str, id: str, label: str, kind: str = "plain") -> dict[str, Any]:
    """Text with a copy button, which is shown if scripts are enabled."""
    return {"text": text, "id": id, "label": label, "kind": kind}


@register.inclusion_tag("elements/nav.html", takes_context=True)
def portal_nav(context: Context) -> dict[str, Any]:
    """The portal's side navigation, with the current page marked."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    hidden = _list_hidden_links(_find_membership(request))
    groups = [(heading, [link for link in links if link[0] not in hidden]) for heading, links in NAVIGATION]
    name = match.url_name or "" if match else ""
    return {
        "groups": [group for group in groups if group[1]],
        "current": PARENTS.get(name, name),
        "user": context.get("user"),
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


def _list_hidden_links(membership: Membership | None) -> tuple[str, ...]:
    """Return the URL names that the user's role does not permit."""
    if membership is None:
        return MEMBER_LINKS + MANAGER_LINKS + BILLING_LINKS
    return (() if membership.may_manage else MANAGER_LINKS) + (
        () if membership.may_see_billing else BILLING_LINKS
    )


def _find_membership(request: Any) -> Membership | None:
    """Return the user's membership, queried once per request."""
    if request is None or not isinstance(getattr(request, "user", None), User):
        return None
    if not hasattr(request, "membership"):
        request.membership = get_membership(request.user)
    membership: Membership | None = request.membership
    return membership


@register.simple_block_tag
def panel(content: SafeString, title: str, id: str = "", hint: str = "", flush: bool = False) -> str:
    """A titled section of a page. `flush` removes the padding, for a table."""
    return _render("panel", content=content, title=title, id=id, hint=hint, flush=flush)


@register.simple_block_tag
def table(content: SafeString, label: str) -> str:
    """A table with an accessible name.

    Give each cell `data-label`, which narrow screens show instead of the header, and numbers the class `num`.
    """
    return _render("table", content=content, label=label)


@register.simple_block_tag
def notice(content: SafeString, tone: str = "quiet", title: str = "") -> str:
    """A message above the content of a page. Screen readers announce one with the tone `bad`."""
    return _render("notice", content=content, tone=tone, title=title)


@register.simple_block_tag
def empty_state(content: SafeString, title: str) -> str:
    """A placeholder for an empty list. The content says what to do next."""
    return _render("empty_state", content=content, title=title)


@register.simple_block_tag
def confirmation(content: SafeString, label: str) -> str:
    """A button that opens a confirmation: the content has the question and the form."""
    return _render("confirmation", content=content, label=label)


def _render(element: str, **context: Any) -> str:
    return render_to_string(f"elements/{element}.html", context)
