"""The customer journey: sign up, scan, prove, fix, metering, invoice. Each method checks its step."""

import ast
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from django.core.management import call_command

from billing.models import BillingAccount, InboxEvent, UsageRecord, UsageReport
from sandbox.action.api import RsolvApi
from sandbox.action.run import Job, Mitigation, Scan, Validation, mitigate, scan, validate
from sandbox.processes import Supervisor
from sandbox.seed.personas import PASSWORD
from sandbox.seed.stripe_clock import HttpStripeClock
from sandbox.stack import Stack
from sandbox.stripe.mails import read_all

from .browser import Browser, Page
from .report import NullOutput, Report

SHOP = Path(__file__).resolve().parents[1] / "shop"
COMPANY, EMAIL = "Acme Shop", "you@demo.example"
REPOSITORY, ISSUE = "acme/shop", 1
CODE = re.compile(r"^([A-Z0-9-]{6,9})$", re.M)
KEY = re.compile(r"rsolv_[A-Za-z0-9_-]{43}")


@dataclass
class Journey:
    """The environment of the demo, and the browser of its customer."""

    stack: Stack
    supervisor: Supervisor
    report: Report
    clock: HttpStripeClock
    browser: Browser

    def sign_up(self) -> str:
        """Sign up with the form and return the API key that the dashboard shows."""
        check = self.report.check
        form = self.browser.open("/accounts/signup/")
        check("the signup form has a CSRF token", bool(form.fields.get("csrfmiddlewaretoken")))
        code_form = self.browser.submit(form, name=COMPANY, email=EMAIL, password1=PASSWORD)
        first = self.browser.submit(code_form, code=self._read_code())
        check("signing up leads to the dashboard", first.url.endswith("/dashboard/"), first.text[:300])
        key = first.by_id.get("new-api-key", "")
        check("the dashboard shows the new key", KEY.fullmatch(key) is not None, first.text[:300])
        second = self.browser.open("/dashboard/")
        check("a second visit does not show the key again", second.status == 200 and key not in second.html)
        with RsolvApi(self.stack.url, key) as api:
            found = api.get_entitlement()
        entitlement = (found["plan"], found["used"], found["included"])
        check("the API accepts the key: trial, 0 of 10 fixes", entitlement == ("trial", 0, 10), found)
        return key

    def _read_code(self) -> str:
        """Wait for the mail of the signup, and return its code."""
        folder, codes = str(self.stack.data_dir / "mail"), list[str]()

        def has_arrived() -> bool:
            codes[:] = [found[1] for mail in read_all(folder) if (found := CODE.search(mail.text))]
            return bool(codes)

        self.supervisor.wait_for("the mail with the code", has_arrived)
        return codes[0]

    def choose_plan(self, key: str) -> None:
        """Put the customer on pay-as-you-go, as an operator would."""
        call_command("choose_plan", EMAIL, "payg", payment_method="pm_card_visa", stdout=NullOutput())
        self.report.write("manage.py choose_plan: opens a subscription at Stripe, whose month begins")
        with RsolvApi(self.stack.url, key) as api:
            self.supervisor.wait_for(
                "an active plan", lambda: api.get_entitlement()["subscriptionStatus"] == "active"
            )
            found = api.get_entitlement()
        terms = (found["plan"], found["unitPriceCents"], found["canUseService"])
        self.report.check(
            "the customer is on pay-as-you-go at $15 a fix", terms == ("payg", 1500, True), found
        )

    def scan(self, job: Job) -> Scan:
        """Run SCAN, and check the finding and the stored result."""
        check, found = self.report.check, scan(job)
        for finding in found.findings:
            self.report.write(f"{finding.file}:{finding.line} {finding.describe()['description']}")
        check("the source has exactly one SQL injection", len(found.findings) == 1, found.findings)
        stored = job.api.retrieve_phases(repo=job.repo, issue=job.issue, commit=found.commit)
        check("the retrieved result equals the stored one", _is_same(stored, {"scan": found.data}), stored)
        return found

    def validate(self, job: Job, found: Scan) -> Validation:
        """Run VALIDATE, and check the test file, the insertion and both runs of the suite."""
        check, proof = self.report.check, validate(job, found.findings[0])
        best, point = f"{proof.test_file}, score {proof.score:.2f}", proof.insertion["insertionPoint"]
        is_mirror = proof.test_file == "tests/catalog/test_search.py" and proof.score > 1.4
        check(f"analyze ranks the test file that mirrors the source first: {best}", is_mirror)
        ast.parse((job.checkout / proof.test_file).read_text())
        where = (
            f"{proof.insertion['method']}, {point['strategy']}, line {point['line']}" if point else "append"
        )
        self.report.write(f"generate inserts the test: {where}")
        old, kept = len(proof.before.passed), len(proof.before.passed & proof.after.passed)
        check(f"all {old} existing tests still pass", kept == old > 0, kept)
        (red,) = proof.after.not_passed
        check("the new test fails on its assertion", red.is_assertion, red)
        self.report.write(f"{red.name.rpartition('::')[2]}: {red.message.splitlines()[0]}")
        return proof

    def mitigate(self, job: Job, found: Scan, proof: Validation) -> Mitigation:
        """Run MITIGATE and store its result twice, and check that it counts once."""
        check, fix = self.report.check, mitigate(job, found.findings[0], times=2)
        everything = len(proof.after.outcomes)
        check(f"with the fix all {everything} tests pass", len(fix.after.passed) == everything)
        ids = {answer["id"] for answer in fix.answers}
        check("storing it twice makes one result", (len(fix.answers), len(ids)) == (2, 1), fix.answers)
        issue = f"issue-{job.issue}"
        wanted = {"scan": found.data, "validation": {issue: proof.data}, "mitigation": {issue: fix.data}}
        stored = job.api.retrieve_phases(repo=job.repo, issue=job.issue, commit=found.commit)
        check("the retrieved results equal the stored ones exactly", _is_same(stored, wanted), stored)
        used = job.api.get_entitlement()["used"]
        check("the entitlement counts one fix", used == 1, used)
        links = self.browser.open("/dashboard/").links
        check("the dashboard links its pull request", links.count(fix.data["prUrl"]) == 1, links)
        return fix

    def meter(self) -> None:
        """Wait for the worker's report, and check the meter."""
        mine = UsageReport.objects.filter(usage__customer__email=EMAIL)
        self.supervisor.wait_for("the worker's report", mine.filter(status="reported").exists)
        # A second report would have been queued together with the first.
        self.supervisor.wait_for("an idle queue", self._is_queue_empty)
        mine_at_stripe = BillingAccount.objects.get(customer__email=EMAIL).stripe_customer_id
        events = [each for each in self.clock.list_meter_events() if each["customer"] == mine_at_stripe]
        self.report.check("the worker reported exactly one meter event", len(events) == 1, events)
        identifiers, usage_ids = [each["identifier"] for each in events], [str(each.pk) for each in mine]
        self.report.check("its identifier is the ledger row's id", identifiers == usage_ids, identifiers)

    def close_month(self, key: str) -> None:
        """Move Stripe's clock past the end of the month, and past the hour until the invoice is final."""
        with RsolvApi(self.stack.url, key) as api:
            ends_at = datetime.fromisoformat(api.get_entitlement()["currentPeriodEnd"])
            self.clock.move_to(ends_at + timedelta(hours=1, minutes=1))
            self.report.write(f"Stripe's clock passes {ends_at:%d %B %H:%M} UTC; its webhooks are processed")
            used = api.get_entitlement()["used"]
        rows = [row for row in self.browser.open("/dashboard/").rows if "Total" in row]
        shown = [(row["Total"], row.get("Fixes"), row.get("Status", "").lower()) for row in rows]
        self.report.check(
            "the dashboard shows one invoice: $15.00, 1 fix, paid",
            shown[:1] == [("$15.00", "1", "paid")],
            shown,
        )
        self.report.check("the new month has no fixes", used == 0, used)

    def check_settled(self) -> None:
        """Check that no report or webhook is pending, and that each fix was metered once."""
        self.supervisor.wait_for("an idle queue", self._is_queue_empty)
        open_reports = UsageReport.objects.exclude(status="reported").count()
        open_events = InboxEvent.objects.filter(processed_at=None).count()
        self.report.check("no report and no webhook is pending", (open_reports, open_events) == (0, 0))
        metered = UsageRecord.objects.filter(coverage="metered").count()
        events = len(self.clock.list_meter_events())
        self.report.check(f"{metered} metered fixes have {metered} meter events", events == metered, events)

    def check_health(self) -> None:
        answer = httpx.get(f"{self.stack.url}/api/health", timeout=10, trust_env=False).json()
        services = ", ".join(f"{name} {state}" for name, state in answer["services"].items())
        self.report.check(f"/api/health: {services}", answer["status"] == "healthy", answer)

    def log_in(self, email: str) -> Page:
        browser = Browser(self.stack.url)
        return browser.submit(browser.open("/accounts/login/"), login=email, password=PASSWORD)

    def _is_queue_empty(self) -> bool:
        return not any((self.stack.data_dir / "queue").iterdir())


@contextmanager
def check_out_shop() -> Iterator[Path]:
    """Yield a temporary copy of the shop, which may be changed."""
    with tempfile.TemporaryDirectory(prefix="rsolv-checkout-") as folder:
        checkout = Path(folder) / "shop"
        shutil.copytree(SHOP, checkout, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        yield checkout


def _is_same(found: object, wanted: object) -> bool:
    """Return whether two values are equal, including the order of keys."""
    return json.dumps(found) == json.dumps(wanted)
