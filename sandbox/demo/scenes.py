"""The demo's order of events. Import it once Django is set up."""

from datetime import datetime

from django.core.management import call_command

from core.commands.terminal import escape_controls
from sandbox.action.api import RsolvApi
from sandbox.action.run import Job
from sandbox.processes import Supervisor
from sandbox.stack import Stack
from sandbox.staging.cast import ACTORS, PASSWORD, STAFF
from sandbox.staging.outside import HttpOutside
from sandbox.staging.stage import describe_difference, stage_customers, stage_staff

from .browser import Browser
from .journey import COMPANY, EMAIL, ISSUE, REPOSITORY, Journey, check_out_shop
from .report import Report, Silent


def play(stack: Stack, supervisor: Supervisor, *, today: datetime, month_begins: datetime) -> Report:
    """The whole demo. Stripe's sandbox has been started already, its clock before the others' story.

    `month_begins` is when the journey's customer subscribes, by Stripe's clock: about a month before today,
    so that the month can end today. Raises whatever a step finds amiss.
    """
    report, outside = Report(), HttpOutside(stack.stripe_url)
    journey = Journey(stack, supervisor, report, outside, Browser(stack.url))
    with report.step("RSOLV starts: web, worker, beat, and a Stripe of its own"):
        start(stack, supervisor)
        journey.check_health()
    with report.step("A customer signs up and is put on pay-as-you-go"):
        stage_customers(outside=outside, today=today, until=month_begins)
        key = journey.sign_up()
        journey.choose_plan(key)
    with report.step("Meanwhile a month passes, for other customers too"):
        stage_customers(outside=outside, today=today)
        report.tell(f"Stripe's clock goes from {month_begins:%d %B} to {today:%d %B}")
        differences = [text for actor in ACTORS if (text := describe_difference(actor))]
        report.check(f"{len(ACTORS)} customers stand where they should", not differences, differences)
    with check_out_shop() as checkout, RsolvApi(stack.url, key) as api:
        job = Job(api=api, repo=REPOSITORY, issue=ISSUE, checkout=checkout)
        with report.step("SCAN finds the flaw in the source"):
            found = journey.scan(job)
        with report.step("VALIDATE proves it by a failing test"):
            proof = journey.validate(job, found)
        with report.step("MITIGATE fixes it, and stores that twice"):
            journey.mitigate(job, found, proof)
    with report.step("The worker reports the fix to Stripe's meter"):
        journey.meter()
    with report.step("The month ends: Stripe invoices, the portal shows it"):
        journey.close_month(key)
    with report.step("The others can log in, and nothing is left undone"):
        stage_staff()
        for actor in ACTORS:
            page = journey.log_in(actor.email)
            report.check(
                f"{escape_controls(actor.company)}: {actor.state}", actor.company in page.text, page.url
            )
        journey.check_settled()
        journey.check_health()
    return report


def start(stack: Stack, supervisor: Supervisor) -> None:
    """A new database, our plans and webhook at Stripe, and all processes up.

    Web and worker load meanwhile: neither looks into the database before it is asked to do something.
    """
    stack.start_web(supervisor)
    stack.start_worker(supervisor)
    call_command("migrate", run_syncdb=True, verbosity=0)
    stack.wait_for_stripe(supervisor)
    call_command("sync_plans", stdout=Silent())
    call_command("register_webhook", stdout=Silent())
    stack.wait_for_web(supervisor)
    stack.start_beat(supervisor)


def show_around(stack: Stack) -> None:
    """Where to look, and who to be. Passwords are for this demo only."""
    print(f"\n   RSOLV            {stack.url}")
    print(f"   Staff admin      {stack.url}/staff/")
    print(f"   API              {stack.url}/api/docs")
    print(f"   Stripe's sandbox {stack.stripe_url}   (its state, and all mail)")
    print(f"\n   Log in with the password {PASSWORD}")
    print(f"   {EMAIL:<24} {COMPANY}, the journey's customer")
    for actor in ACTORS:
        print(f"   {actor.email:<24} {escape_controls(actor.company)}: {actor.state}")
    print(f"   {STAFF:<24} staff admin; its second step: make staff-code", flush=True)
