"""The pages at `/`: the sandbox's objects for people to read, and a form to advance the clock."""

import json
import re
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from sandbox.stripe import mails
from sandbox.stripe.billing.periods import after
from sandbox.stripe.control import Control
from sandbox.stripe.descriptions import money
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.render import present
from sandbox.stripe.store import Record, key_of

FEW, SHOWN = 10, 50
# An id in quotes, which are escaped before the search.
_ID = re.compile(r"&#34;([a-z]+_[A-Za-z0-9_]{6,})&#34;")


def blueprint(env: StripeEnvironment, control: Control, mail_dir: str | None) -> Blueprint:
    """Build the overview, the objects of a kind, one object, the requests, and one mail."""
    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(_instant, "timestamp")
    routes.add_app_template_filter(_label, "label")
    routes.add_app_template_filter(_where, "where")

    @routes.get("/")
    def overview() -> str:
        with env.store.lock:
            return render_template(
                "overview.html",
                now=env.now(),
                offset=env.clock.offset,
                kinds=[each for each in control.state().items() if not each[0].startswith("sandbox.")],
                events=_newest(env, "event"),
                deliveries=_newest(env, "sandbox.delivery"),
                requests=list(islice(reversed(env.requests), FEW)),
                faults=control.faults(),
                mail_dir=mail_dir,
                mails=mails.read_all(mail_dir)[:FEW],
                sought=request.args.get("sought"),
            )

    @routes.post("/clock")
    def advance() -> ResponseReturnValue:
        """Advance the clock by the form field `by`: hour, day or month (a calendar month)."""
        now = control.now()
        step = {"interval": request.form.get("by", "hour"), "interval_count": 1}
        target = now + 3600 if step["interval"] == "hour" else after(now, step, 1)
        control.set_to(target)
        return redirect(url_for("page.overview"))

    @routes.get("/kinds/<kind>")
    def kind(kind: str) -> str:
        """List a kind, newest first; `before` is the key of the last one on the previous page."""
        with env.store.lock:
            before = env.store.get(kind, request.args.get("before", ""))
            found = list(islice(env.store.newest(kind, before=before), SHOWN))
            total = env.store.count(kind)
        return render_template(
            "kind.html", kind=kind, records=found, total=total, shown=SHOWN, paged=before is not None
        )

    @routes.get("/find")
    def find() -> ResponseReturnValue:
        """Find an object by id, by the identifier of a meter event, or by a customer's email."""
        sought = request.args.get("id", "").strip()
        with env.store.lock:
            record = _find(env, sought)
        if record is None:
            return redirect(url_for("page.overview", sought=sought))
        return redirect(url_for("page.object", id=key_of(record)))

    @routes.get("/objects/<path:id>")
    def object(id: str) -> str:
        with env.store.lock:
            record = env.store.find(id)
            if record is None:
                abort(404)
            kind = record["object"]
            near: dict[str, list[Record]] = {
                "events": list(islice(env.store.newest("event", subject=id), SHOWN)),
                "deliveries": list(islice(env.store.newest("sandbox.delivery", event=id), SHOWN)),
            }
            text = _linked(env, json.dumps(present(env.store, record), indent=2, ensure_ascii=False))
            return render_template("object.html", id=id, kind=kind, record=record, text=text, **near)

    @routes.get("/requests")
    def requests() -> str:
        """List requests, newest first; `from` is the number of newer ones to skip."""
        skip = max(0, request.args.get("from", 0, int))
        with env.store.lock:
            total = len(env.requests)
            found = list(islice(reversed(env.requests), skip, skip + SHOWN))
        return render_template("requests.html", requests=found, total=total, next=skip + SHOWN)

    @routes.get("/mails/<key>")
    def mail(key: str) -> str:
        found = mails.find(mail_dir, key)
        if found is None:
            abort(404)
        return render_template("mail.html", mail=found)

    return routes


def _newest(env: StripeEnvironment, kind: str) -> list[Record]:
    return list(islice(env.store.newest(kind), FEW))


def _find(env: StripeEnvironment, sought: str) -> Record | None:
    return (
        env.store.find(sought)
        or next(env.store.newest("billing.meter_event", identifier=sought), None)
        or next(env.store.newest("customer", email=sought), None)
    )


def _linked(env: StripeEnvironment, text: str) -> Markup:
    """Render JSON in which every known id is a link."""

    def link(match: re.Match[str]) -> str:
        if env.store.find(match[1]) is None:
            return match[0]
        return f'"<a href="{url_for("page.object", id=match[1])}">{match[1]}</a>"'

    return Markup(_ID.sub(link, str(escape(text))))  # noqa: S704 - escaped text and our own links


def _instant(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC" if seconds is not None else ""


def _label(record: dict[str, Any]) -> str:
    """Return the text by which a person recognizes the object."""
    parts = [
        str(record[name])
        for name in ("email", "name", "display_name", "number", "type", "event_name", "url", "status")
        if isinstance(record.get(name), str)
    ]
    cents = record.get("total", record.get("amount"))
    if isinstance(cents, int):
        parts.append(money(cents, record.get("currency") or "usd"))
    return " · ".join(parts)


def _where(fault: dict[str, Any]) -> str:
    """Describe what a fault matches and what it does."""
    kind = fault["kind"]
    place = (
        fault["event"] if kind.startswith(("webhook_", "meter_")) else f"{fault['method']} {fault['path']}"
    )
    how = {
        "latency": f"{fault['ms']} ms",
        "status": f"{fault['status']}{' after the work' if fault['after'] else ''}",
        "webhook_reorder": f"{fault['ms']} ms",
        "webhook_delay": f"{fault['ms']} ms",
        "meter_reject": fault["code"],
    }.get(kind, "")
    chance = f"{fault['probability']:.0%} of the time" if fault["probability"] < 1 else ""
    return ", ".join(part for part in (place, how, chance) if part)
