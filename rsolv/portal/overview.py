"""The overview: what needs attention, what happened since the last visit, the state of the account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from billing.account_alerts import ContactOptions, explain_account_state
from billing.selectors.entitlements import Entitlement, get_entitlement
from billing.selectors.invoices import list_invoices, list_open_invoices
from billing.usage_text import describe_cost, describe_usage
from customers.models import ApiKey, Customer, Membership, User
from customers.selectors import get_membership, list_expiring_keys, list_keys
from phases.selectors.fixes import count_fixes_by_outcome, list_latest_fixes
from provisioning.key_reveal import delete_new_key_cookie, read_new_key_cookie

from .fix_page import list_fix_rows
from .new_account import show_no_account
from .projection import Projection, project_period
from .setup_steps import list_steps
from .visits import find_last_time

FIXES_SHOWN = 10
INVOICES_SHOWN = 6
KEYS_SHOWN = 5
KEYS_NAMED = 5
WARNING_PERIOD = timedelta(days=14)


@dataclass(frozen=True)
class KeyRow:
    """A row of the overview's API keys. `state` is active, revoked or expired."""

    name: str
    prefix: str
    state: str
    last_used_at: datetime | None


@dataclass(frozen=True)
class LinkedText:
    """A sentence with a link."""

    text: str
    url: str


@login_required
@never_cache
def show_overview(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    membership = get_membership(request.user)
    if membership is None:
        return show_no_account(request)
    # The navigation reads it, as from `member_page`.
    request.membership = membership  # type: ignore[attr-defined]
    new_key, now = read_new_key_cookie(request, user=request.user), timezone.now()
    last_time = find_last_time(request, membership, now=now)
    context = _prepare(membership, last_time, now) | {"new_key": new_key}
    response = render(request, "portal/overview.html", context)
    if new_key:
        delete_new_key_cookie(response)
    return response


def _prepare(membership: Membership, last_time: datetime | None, now: datetime) -> dict[str, Any]:
    customer, sees_billing = membership.customer, membership.may_see_billing
    entitlement = get_entitlement(customer=customer)
    invoices = list_invoices(customer=customer, limit=INVOICES_SHOWN) if sees_billing else []
    # One more than is shown, to know whether there are more.
    keys = list(list_keys(customer=customer)[: KEYS_SHOWN + 1])
    is_due = sees_billing and entitlement.is_payment_open
    open_invoices = list_open_invoices(customer=customer) if is_due else []
    contact = ContactOptions(
        support=parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        plans_url=reverse("billing-plans"),
        cap_url=reverse("billing-cap"),
    )
    projection = project_entitlement(entitlement, now)
    recent = count_fixes_by_outcome(customer=customer, since=now - WARNING_PERIOD)
    return {
        "customer": customer,
        "entitlement": entitlement,
        "plan_state": "exhausted" if entitlement.is_trial_exhausted else entitlement.status,
        "account_alert": explain_account_state(
            entitlement, open_invoices, contact=contact if sees_billing else None
        ),
        "warnings": _list_warnings(recent, customer, projection if sees_billing else None, now),
        "last_time": last_time,
        "news": _list_news(count_fixes_by_outcome(customer=customer, since=last_time)) if last_time else [],
        "steps": list_steps(customer=customer),
        "may_manage": membership.may_manage,
        "sees_billing": sees_billing,
        "usage_text": describe_usage(entitlement),
        "cost_text": describe_cost(entitlement),
        "projection": projection,
        "rows": list_fix_rows(list(list_latest_fixes(customer=customer, limit=FIXES_SHOWN))),
        "invoices": invoices,
        "api_keys": [_to_key_row(key) for key in keys[:KEYS_SHOWN]],
        "has_more_keys": len(keys) > KEYS_SHOWN,
    }


def project_entitlement(entitlement: Entitlement, now: datetime) -> Projection | None:
    """Extrapolate the current period from its pace so far; None where nothing more can be billed in it."""
    if entitlement.status not in ("active", "past_due"):
        return None
    return project_period(
        plan=entitlement.plan,
        used=entitlement.used,
        start=entitlement.period_start,
        end=entitlement.period_end,
        now=now,
        cap_cents=entitlement.spend_cap_cents,
    )


def _list_warnings(
    recent: dict[str, int], customer: Customer, projection: Projection | None, now: datetime
) -> list[LinkedText]:
    """List what may need attention soon: recent failures, expiring keys, a spend cap that will be reached."""
    warnings, fixes = [], reverse("fixes")
    if count := recent["unverified"]:
        text = ngettext(
            "%(count)d fix of the last two weeks is not verified: its tests do not pass.",
            "%(count)d fixes of the last two weeks are not verified: their tests do not pass.",
            count,
        )
        warnings.append(LinkedText(text % {"count": count}, f"{fixes}?phase=mitigation&state=unverified"))
    if count := recent["failed"]:
        text = ngettext(
            "%(count)d fix of the last two weeks failed.",
            "%(count)d fixes of the last two weeks failed.",
            count,
        )
        warnings.append(LinkedText(text % {"count": count}, f"{fixes}?phase=mitigation&state=failed"))
    warnings += _warn_about_keys(customer, now)
    if projection and projection.is_capped:
        text = _("At this pace your spend cap is reached before the period ends.")
        warnings.append(LinkedText(text, reverse("billing-cap")))
    return warnings


def _warn_about_keys(customer: Customer, now: datetime) -> list[LinkedText]:
    """Warn about every key that expires soon: the first few by name, the others as a number."""
    names = list(
        list_expiring_keys(customer=customer, until=now + WARNING_PERIOD).values_list("name", flat=True)
    )
    words = [_("The API key %(name)s expires within two weeks.") % {"name": name} for name in names]
    if more := len(words[KEYS_NAMED:]):
        text = ngettext(
            "%(count)d more API key expires within two weeks.",
            "%(count)d more API keys expire within two weeks.",
            more,
        )
        words[KEYS_NAMED:] = [text % {"count": more}]
    return [LinkedText(text, reverse("keys")) for text in words]


def _list_news(counts: dict[str, int]) -> list[LinkedText]:
    """List the outcomes since the last visit, without those that did not occur."""
    words = {
        "fixed": (_("fixed"), "phase=mitigation&state=succeeded"),
        "unverified": (_("not verified"), "phase=mitigation&state=unverified"),
        "failed": (_("failed"), "phase=mitigation&state=failed"),
        "proved": (_("proved"), "phase=validation&state=succeeded"),
    }
    return [
        LinkedText(f"{counts[name]} {word}", f"{reverse('fixes')}?{query}")
        for name, (word, query) in words.items()
        if counts[name]
    ]


def _to_key_row(key: ApiKey) -> KeyRow:
    state = "active" if key.is_active else "revoked" if key.revoked_at else "expired"
    return KeyRow(name=key.name, prefix=key.prefix, state=state, last_used_at=key.last_used_at)
