"""A Celery beat scheduler that stores its state as JSON. Celery's own stores pickles."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from celery.beat import Scheduler

log = structlog.get_logger(__name__)


class JsonScheduler(Scheduler):
    """Remembers across restarts when each task last ran, so that no nightly task is missed.

    A missing or unreadable file counts as empty.
    """

    def __init__(self, *args: Any, schedule_filename: str, **options: Any) -> None:
        self._path = Path(schedule_filename)
        super().__init__(*args, **options)

    def setup_schedule(self) -> None:
        self.install_default_entries(self.schedule)
        self.merge_inplace(self.app.conf.beat_schedule)
        for name, seconds in self._read().items():
            if name in self.schedule:
                self.schedule[name].last_run_at = datetime.fromtimestamp(seconds, UTC)

    def sync(self) -> None:
        """Write the file atomically."""
        runs = {
            name: entry.last_run_at.timestamp() for name, entry in self.schedule.items() if entry.last_run_at
        }
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(runs))
        os.replace(part, self._path)

    def close(self) -> None:
        self.sync()
        super().close()

    def _read(self) -> dict[str, float]:
        try:
            runs = json.loads(self._path.read_text())
            return {str(name): float(seconds) for name, seconds in runs.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("beat_schedule_unreadable", error=type(error).__name__)
            return {}

    @property
    def info(self) -> str:
        return f"    . db -> {self._path}"
