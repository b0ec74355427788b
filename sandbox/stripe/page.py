"""The pages at `/`: what the sandbox holds, for a person to read, and a hand on the clock."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.stripe import mails
from sandbox.stripe.billing.periods import after
from sandbox.stripe.control import Control
from sandbox.stripe.store import Record
from sandbox.stripe.world import World

SHOWN = 25


def blueprint(world: World, control: Control, mail_dir: str | None) -> Blueprint:
    """The overview, the objects of a kind, and one mail."""
    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(_instant, "instant")
    routes.add_app_template_filter(_label, "label")

    @routes.get("/")
    def overview() -> str:
        with world.store.lock:
            return render_template(
                "overview.html",
                now=world.now(),
                offset=world.clock.offset,
                kinds=[each for each in control.state().items() if not each[0].startswith("sandbox.")],
                events=_newest(world, "event"),
                deliveries=_newest(world, "sandbox.delivery"),
                requests=list(islice(reversed(world.requests), SHOWN)),
                faults=control.faults(),
                mail_dir=mail_dir,
                mails=mails.read_all(mail_dir)[:SHOWN],
            )

    @routes.post("/clock")
    def advance() -> ResponseReturnValue:
        """Form field `by`: hour, day or month; a month goes by the calendar."""
        now = control.now()
        step = {"interval": request.form.get("by", "hour"), "interval_count": 1}
        target = now + 3600 if step["interval"] == "hour" else after(now, step, 1)
        control.set_to(target)
        return redirect(url_for("page.overview"))

    @routes.get("/kinds/<kind>")
    def kind(kind: str) -> str:
        with world.store.lock:
            before = world.store.get(kind, request.args.get("before", ""))
            found = list(islice(world.store.newest(kind, before=before), SHOWN))
            total = world.store.count(kind)
        return render_template("kind.html", kind=kind, records=found, total=total, shown=SHOWN)

    @routes.get("/mails/<key>")
    def mail(key: str) -> str:
        found = mails.find(mail_dir, key)
        if found is None:
            abort(404)
        return render_template("mail.html", mail=found)

    return routes


def _newest(world: World, kind: str) -> list[Record]:
    return list(islice(world.store.newest(kind), SHOWN))


def _instant(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC" if seconds is not None else ""


def _label(record: dict[str, Any]) -> str:
    """What a person recognises the object by."""
    parts = [
        str(record[name])
        for name in ("email", "name", "display_name", "number", "type", "event_name", "url", "status")
        if isinstance(record.get(name), str)
    ]
    if isinstance(record.get("total"), int):
        parts.append(f"${record['total'] / 100:.2f}")
    return " · ".join(parts)
