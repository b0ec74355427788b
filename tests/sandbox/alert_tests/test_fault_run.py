from unittest.mock import Mock

import pytest

from sandbox.alert_tests.fault_run import FAULT_SECONDS, QUIET_SECONDS, SLOW_SECONDS, FaultRun
from sandbox.alert_tests.faults import Fault

PANEL = "api: Errors [A]"


def make_run(*, alerts=("A",), **options):
    actions = {"inject": Mock(), "sustain": Mock(), "recover": Mock()}
    fault = Fault("everything is off", alerts, **actions, **options)
    return FaultRun(fault, waiting_since=0)


def step(run, state, *, now, empty=()):
    run.step(dict.fromkeys(run.fault.alerts, state), empty, now)


class TestFaultRun:
    @pytest.mark.parametrize("state", ["pending", "firing"])
    def test_waits_while_its_alert_is_active_for_another_reason(self, state):
        run = make_run()
        step(run, state, now=QUIET_SECONDS)
        assert run.is_waiting and not run.fault.inject.called

    def test_reports_an_alert_that_stays_active_without_the_fault(self):
        run = make_run()
        step(run, "firing", now=QUIET_SECONDS + 1)
        assert run.is_over and not run.fault.inject.called
        assert run.problems == {"A": 'was active without its fault, "everything is off", for 300 s'}

    def test_injects_a_latency_on_a_slow_machine_too(self):
        run = make_run(is_latency=True)
        step(run, "firing", now=SLOW_SECONDS)
        assert run.is_waiting
        step(run, "firing", now=SLOW_SECONDS + 1)
        assert run.fault.inject.called

    def test_recovers_once_its_alert_has_fired(self):
        run = make_run()
        for now, state in ((1, "inactive"), (3, "inactive"), (4, "pending"), (6, "firing")):
            step(run, state, now=now)
        assert run.is_over and run.fault.recover.call_count == 1
        assert run.fault.sustain.call_count == 2
        assert run.fired["A"]["seconds_to_pending"] == 3
        assert run.fired["A"]["seconds_to_firing"] == 5

    def test_keeps_on_until_every_alert_has_fired(self):
        run = make_run(alerts=("A", "B"))
        step(run, "inactive", now=1)
        run.step({"A": "firing", "B": "inactive"}, (), 2)
        assert not run.is_over
        run.step({"A": "inactive", "B": "firing"}, (), 3)
        assert run.is_over and set(run.fired) == {"A", "B"}

    def test_keeps_on_until_its_panels_have_data(self):
        run = make_run(panels=(PANEL,))
        step(run, "inactive", now=1, empty=[PANEL])
        step(run, "firing", now=2, empty=[PANEL])
        assert not run.is_over
        step(run, "firing", now=3)
        assert run.is_over and run.problems == {}

    def test_reports_what_did_not_happen_in_time(self):
        run = make_run(panels=(PANEL,))
        step(run, "inactive", now=0, empty=[PANEL])
        step(run, "pending", now=FAULT_SECONDS + 1, empty=[PANEL])
        assert run.fault.recover.call_count == 1
        assert run.problems == {
            "A": 'did not fire in 481 s of "everything is off"',
            PANEL: 'had no data in 481 s of "everything is off"',
        }

    def test_recovers_when_it_is_interrupted(self):
        run = make_run()
        step(run, "inactive", now=0)
        run.end()
        run.end()
        assert run.fault.recover.call_count == 1

    def test_does_not_recover_from_what_was_not_injected(self):
        run = make_run()
        run.end()
        assert not run.fault.recover.called
