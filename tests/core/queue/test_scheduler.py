"""The schedule that celery beat keeps across restarts, as JSON."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.queue.scheduler import JsonScheduler
from rsolv.celery import app

RAN_AT = datetime(2026, 1, 2, 3, 10, tzinfo=UTC)


def start(path: Path) -> JsonScheduler:
    return JsonScheduler(app, schedule_filename=str(path))


class TestJsonScheduler:
    def test_is_configured_for_beat(self) -> None:
        assert app.conf.beat_scheduler == "core.queue.scheduler.JsonScheduler"

    def test_saves_when_a_task_last_ran(self, tmp_path: Path) -> None:
        first = start(tmp_path / "beat")
        first.schedule["reconcile-billing"].last_run_at = RAN_AT
        first.sync()
        assert start(tmp_path / "beat").schedule["reconcile-billing"].last_run_at == RAN_AT

    def test_runs_missed_tasks(self, tmp_path: Path) -> None:
        (tmp_path / "beat").write_text(json.dumps({"reconcile-billing": RAN_AT.timestamp()}))
        assert start(tmp_path / "beat").schedule["reconcile-billing"].is_due().is_due

    @pytest.mark.parametrize(
        "text", ["", "[]", "{", '{"sweep-billing": "soon"}', '{"unknown": 1}', "\x80\x04"]
    )
    def test_starts_with_an_unreadable_file(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "beat").write_text(text)
        assert "sweep-billing" in start(tmp_path / "beat").schedule

    def test_writes_readable_text(self, tmp_path: Path) -> None:
        start(tmp_path / "beat").sync()
        runs: dict[str, Any] = json.loads((tmp_path / "beat").read_text())
        assert "sweep-billing" in runs
        assert stat.S_ISREG((tmp_path / "beat").stat().st_mode)
