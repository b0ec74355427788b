"""The demo's steps, in order. Import this module after django.setup()."""

from datetime import datetime

from django.core.management import call_command

from core.commands.terminal import escape_controls
from sandbox.action.api import RsolvApi
from sandbox.action.run import Job
from sandbox.processes import Supervisor
from sandbox.seed.customers import describe_difference, seed_customers, seed_staff
from sandbox.seed.personas import PASSWORD, PERSONAS, STAFF
from sandbox.seed.stripe_clock import HttpStripeClock
from sandbox.stack import Stack

from .browser import Browser
from .journey import COMPANY, EMAIL, ISSUE, REPOSITORY, Journey, check_out_shop
from .report import NullOutput, Report


def run_demo(stack: Stack, supervisor: Supervisor, *, today: datetime, month_begins: datetime) -> Report:
    """Run every step. The sandbox Stripe must be running, with its clock before the start of the timeline.

    `month_begins` is when the journey's customer subscribes, by Stripe's clock: about a month before today,
    so that the month can end today. Raises CheckFailed.
    """
    report, clock = Report(), HttpStripeClock(stack.stripe_url)
    journey = Journey(stack, supervisor, report, clock, Browser(stack.url))
    with report.step("RSOLV starts: web, worker, beat and the sandbox Stripe"):
        start(stack, supervisor)
        journey.check_health()
    with report.step("A customer signs up and is put on pay-as-you-go"):
        seed_customers(clock=clock, today=today, until=month_begins)
        key = journey.sign_up()
        journey.choose_plan(key)
    with report.step("A month passes, also for other customers"):
        seed_customers(clock=clock, today=today)
        report.write(f"Stripe's clock moves from {month_begins:%d %B} to {today:%d %B}")
        differences = [text for persona in PERSONAS if (text := describe_difference(persona))]
        report.check(f"{len(PERSONAS)} customers are in their expected state", not differences, differences)
    with check_out_shop() as checkout, RsolvApi(stack.url, key) as api:
        job = Job(api=api, repo=REPOSITORY, issue=ISSUE, checkout=checkout)
        with report.step("SCAN finds the vulnerability in the source"):
            found = journey.scan(job)
        with report.step("VALIDATE proves it by a failing test"):
            proof = journey.validate(job, found)
        with report.step("MITIGATE fixes it and stores the result twice"):
            journey.mitigate(job, found, proof)
    with report.step("The worker reports the fix to Stripe's meter"):
        journey.meter()
    with report.step("The month ends: Stripe invoices, the portal shows it"):
        journey.close_month(key)
    with report.step("The other customers can log in, and no work is pending"):
        seed_staff()
        for persona in PERSONAS:
            page = journey.log_in(persona.email)
            report.check(
                f"{escape_controls(persona.company)}: {persona.state}", persona.company in page.text, page.url
            )
        journey.check_settled()
        journey.check_health()
    return report


def start(stack: Stack, supervisor: Supervisor) -> None:
    """Create the database, register plans and webhook at Stripe, and start all processes.

    Web and worker start before the tables exist, because they use the database only once there is work.
    """
    stack.start_web(supervisor)
    stack.start_worker(supervisor)
    call_command("migrate", run_syncdb=True, verbosity=0)
    stack.wait_for_stripe(supervisor)
    call_command("sync_plans", stdout=NullOutput())
    call_command("register_webhook", stdout=NullOutput())
    stack.wait_for_web(supervisor)
    stack.start_beat(supervisor)


def print_logins(stack: Stack) -> None:
    """Print addresses and logins. Passwords are for this demo only."""
    print(f"\n   RSOLV            {stack.url}")
    print(f"   Staff admin      {stack.url}/staff/")
    print(f"   API              {stack.url}/api/docs")
    print(f"   Stripe's sandbox {stack.stripe_url}   (its state, and all mail)")
    print(f"\n   Log in with the password {PASSWORD}")
    print(f"   {EMAIL:<24} {COMPANY}, the journey's customer")
    for persona in PERSONAS:
        print(f"   {persona.email:<24} {escape_controls(persona.company)}: {persona.state}")
    print(f"   {STAFF:<24} staff admin; its second step: make staff-code", flush=True)
