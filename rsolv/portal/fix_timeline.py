"""A fix's way, told step by step: found, proved, fixed, verified, metered, invoiced."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from core.api.json_text import read_json
from core.formats import format_cents
from phases.attempts import AttemptHistory, read_attempts
from phases.evidence import Evidence
from phases.models import PhaseExecution
from phases.selectors.work import FixTimeline

from .fix_billing import Bill

Outcome = PhaseExecution.Outcome


@dataclass(frozen=True)
class Step:
    """One step. `state` is done, failed, open (may still come) or none (will not come)."""

    key: str
    title: str
    state: str
    text: str = ""
    at: datetime | None = None


def build_timeline(
    story: FixTimeline, evidence: Evidence, bill: Bill | None, *, sees_billing: bool
) -> list[Step]:
    steps = [_tell_found(story), _tell_proved(story), _tell_fixed(story), _tell_verified(story, evidence)]
    return [*steps, *_tell_billed(story, bill, sees_billing)]


def describe_attempts(mitigation: PhaseExecution) -> AttemptHistory:
    """Retry evidence of a fix, from the text that was stored."""
    try:
        data = read_json(mitigation.data)
    except (ValueError, RecursionError):
        data = {}
    return read_attempts(data if isinstance(data, dict) else {})


def _tell_found(story: FixTimeline) -> Step:
    if story.scan is None:
        return Step("found", _("Found"), "none", _("No scan of this repository is stored from before."))
    text = _("In the scan of commit %(commit)s.") % {"commit": story.scan.commit_sha[:10]}
    return Step("found", _("Found"), "done", text, story.scan.created_at)


def _tell_proved(story: FixTimeline) -> Step:
    proof = story.validation
    if proof is None:
        state = "none" if story.mitigation else "open"
        return Step("proved", _("Proved"), state, _("The runner stored no proof."))
    if proof.outcome == Outcome.SUCCEEDED:
        text = _("A new test fails while the vulnerability is there.")
        return Step("proved", _("Proved"), "done", text, proof.updated_at)
    text = _("No test could be made to fail, so the finding may be false. Nothing is fixed or billed for it.")
    return Step("proved", _("Not proved"), "failed", text, proof.updated_at)


def _tell_fixed(story: FixTimeline) -> Step:
    fix = story.mitigation
    if fix is None:
        can_come = story.validation is not None and story.validation.outcome == Outcome.SUCCEEDED
        text = _("No fix is stored yet.") if can_come else ""
        return Step("fixed", _("Fixed"), "open" if can_come else "none", text)
    if fix.outcome == Outcome.FAILED:
        text = describe_attempts(fix).error or _("The runner did not say why.")
        return Step("fixed", _("Not fixed"), "failed", text, fix.updated_at)
    text = "" if fix.pull_request_link else _("The runner stored no pull request of this repository.")
    return Step("fixed", _("Fixed"), "done", text, fix.updated_at)


def _tell_verified(story: FixTimeline, evidence: Evidence) -> Step:
    fix = story.mitigation
    if fix is None or fix.outcome == Outcome.FAILED:
        return Step("verified", _("Verified"), "none" if fix else "open")
    if fix.outcome == Outcome.UNVERIFIED:
        text = _("The fix was claimed, but the tests after it do not pass.")
        return Step("verified", _("Not verified"), "failed", text, fix.updated_at)
    if evidence.is_green_after:
        text = _("All tests pass, the new one too.")
    else:
        text = _("The runner reports success, without what the tests said.")
    return Step("verified", _("Verified"), "done", text, fix.updated_at)


def _tell_billed(story: FixTimeline, bill: Bill | None, sees_billing: bool) -> list[Step]:
    if bill is None:
        fix = story.mitigation
        if fix is None:
            return [Step("metered", _("Metered"), "open")]
        why = {
            Outcome.FAILED: _("A failed fix is never billed."),
            Outcome.UNVERIFIED: _("A fix whose tests do not pass is never billed."),
        }
        text = why.get(PhaseExecution.Outcome(fix.outcome), _("This fix is not in the ledger."))
        return [Step("metered", _("Not billed"), "none", text)]
    price = format_cents(bill.unit_price_cents, is_short=True)
    text = {
        "trial": _("Free: one of your trial's fixes."),
        "unbilled": _("It was made while no plan was there to bill it to. It costs nothing, now and later."),
        "to_be_metered": _("It counts, and is about to be sent to the meter."),
        "refused": _("Stripe's meter refused it. Our staff look into it; nothing is billed meanwhile."),
        "voided": _("Our staff took it off: it does not count."),
        "credited": _("It counted, and our staff gave its price back."),
        "metered": _("It counts as one fix; beyond those your plan includes it costs %(price)s.")
        % {"price": price},
    }[bill.state]
    if bill.reason:
        text = f"{text} {_('Reason:')} {bill.reason}"
    is_counted = bill.state in ("metered", "credited")
    title = _("Metered") if is_counted or bill.state == "to_be_metered" else _("Not billed")
    state = "done" if is_counted else "open" if bill.state == "to_be_metered" else "none"
    steps = [Step("metered", title, state, text, bill.reported_at or bill.occurred_at)]
    if sees_billing and bill.state in ("metered", "to_be_metered", "credited"):
        steps.append(_tell_invoiced(bill))
    return steps


def _tell_invoiced(bill: Bill) -> Step:
    if bill.invoice is None:
        return Step("invoiced", _("Invoiced"), "open", _("It comes on the invoice at the period's end."))
    return Step("invoiced", _("Invoiced"), "done", "", bill.invoice.created_at)
