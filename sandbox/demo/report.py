"""The demo's output: steps, their checks and their durations."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.commands.terminal import escape_controls
from sandbox.processes import NotReady, ProcessEnded


class CheckFailed(Exception):
    """A check failed; the message has the actual value."""


@dataclass
class Step:
    title: str
    checks: int = 0
    seconds: float = 0.0


class Report:
    """Prints each step and each check. A failed check ends the demo."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print and time a step. Any exception other than a wait or process error becomes CheckFailed."""
        step = Step(title)
        self.steps.append(step)
        print(f"\n{_bold(f'{len(self.steps)}  {title}')}", flush=True)
        started = time.monotonic()
        try:
            yield
        except (CheckFailed, NotReady, ProcessEnded):
            raise
        except Exception as error:
            traceback.print_exc()
            raise CheckFailed(f"{type(error).__name__}: {error}") from error
        finally:
            step.seconds = time.monotonic() - started

    def write(self, text: str) -> None:
        print(f"   {escape_controls(text)}", flush=True)

    def check(self, text: str, is_so: bool, found: object = "") -> None:
        """Print and count a check, or raise CheckFailed with the actual value if it is not `is_so`."""
        if not is_so:
            raise CheckFailed(f"{text}{f': found {found}' if found != '' else ''}")
        self.steps[-1].checks += 1
        print(f"   ✓ {escape_controls(text)}", flush=True)

    def print_table(self) -> None:
        width = max(len(step.title) for step in self.steps)
        print(f"\n   {'Step':<{width + 3}}  Checks  Seconds")
        for number, step in enumerate(self.steps, start=1):
            print(f"   {number}  {step.title:<{width}}  {step.checks:>6}  {step.seconds:>7.1f}")
        checks, seconds = sum(step.checks for step in self.steps), sum(step.seconds for step in self.steps)
        print(f"   {'total':<{width + 3}}  {checks:>6}  {seconds:>7.1f}")


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


class NullOutput:
    """Discards the output of a management command."""

    def write(self, text: str) -> None: ...
