"""One fault from injection to recovery, in steps. The caller passes alert states and the time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .faults import Fault

QUIET_SECONDS = 300.0
# If a latency alert stays active this long without its fault, the machine is slow: inject the fault anyway.
SLOW_SECONDS = 60.0
FAULT_SECONDS = 480.0


@dataclass
class FaultRun:
    """Injects a fault once its alerts are inactive, and sustains it until all fire and its panels have data.

    An alert counts only if it was inactive before its fault, except a latency alert on a slow machine.
    `fired` has the report's entry by alert; `problems` has a message by alert or panel.
    """

    fault: Fault
    waiting_since: float
    injected_at: float | None = None
    is_over: bool = False
    pending_after: dict[str, float] = field(default_factory=dict)
    fired: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.injected_at is None and not self.is_over

    def step(self, states: Mapping[str, str], empty_panels: Collection[str], now: float) -> None:
        """Take the next step.

        `states` are the alerts' states by name, `empty_panels` the queries that never had data, `now` is in
        seconds of any monotonic clock.
        """
        if self.is_waiting:
            self._start(states, now)
        elif not self.is_over:
            self._continue(states, empty_panels, now)

    def end(self) -> None:
        """Recover from the fault if it is still injected."""
        if self.injected_at is not None and not self.is_over:
            self.is_over = True
            self.fault.recover()

    def _start(self, states: Mapping[str, str], now: float) -> None:
        active = [alert for alert in self.fault.alerts if states[alert] != "inactive"]
        waited = now - self.waiting_since
        if not active or (self.fault.is_latency and waited > SLOW_SECONDS):
            self.injected_at = now
            self.fault.inject()
        elif waited > QUIET_SECONDS:
            self.is_over = True
            for alert in active:
                self.problems[alert] = (
                    f'was active without its fault, "{self.fault.description}", for {QUIET_SECONDS:.0f} s'
                )

    def _continue(self, states: Mapping[str, str], empty_panels: Collection[str], now: float) -> None:
        assert self.injected_at is not None
        seconds = round(now - self.injected_at, 1)
        self._record(states, seconds)
        silent = [alert for alert in self.fault.alerts if alert not in self.fired]
        empty = [panel for panel in self.fault.panels if panel in empty_panels]
        if silent or empty:
            self.fault.sustain()
        if not silent and not empty:
            self.end()
        elif seconds > FAULT_SECONDS:
            for name in silent:
                self.problems[name] = f'did not fire in {seconds:.0f} s of "{self.fault.description}"'
            for name in empty:
                self.problems[name] = f'had no data in {seconds:.0f} s of "{self.fault.description}"'
            self.end()

    def _record(self, states: Mapping[str, str], seconds: float) -> None:
        for alert in self.fault.alerts:
            if alert in self.fired or states[alert] == "inactive":
                continue
            self.pending_after.setdefault(alert, seconds)
            if states[alert] == "firing":
                self.fired[alert] = {
                    "fault": self.fault.description,
                    "seconds_to_pending": self.pending_after[alert],
                    "seconds_to_firing": seconds,
                }
