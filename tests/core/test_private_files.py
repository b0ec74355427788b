"""Files of the embedded installation are readable by its own user only."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.private_files import make_private
from sandbox.stripe.server import StripeSandbox

# What web, worker, beat and the sandbox's Stripe do first, in a process of the embedded installation.
START = """
import django, os
from pathlib import Path
from sandbox.stack import Stack
stack = Stack(Path(os.environ["HERE"]), 8000, 12111)
stack.prepare()
django.setup()
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection
from core.queue.scheduler import JsonScheduler
from rsolv.celery import app
from core.metrics import processes
from sandbox.stripe.server import StripeSandbox
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS a (b)")
send_mail("subject", "text", "a@rsolv.test", ["b@rsolv.test"])
app.send_task("billing.tasks.sweep_billing")
JsonScheduler(app, schedule_filename=settings.CELERY_BEAT_SCHEDULE_FILENAME).sync()
(stack.data_dir / "log" / "web.log").open("a").write("a line")
with StripeSandbox(state=str(stack.data_dir / "stripe.sqlite3"), mail_dir=str(stack.data_dir / "mail")):
    os.system("ls -la " + str(stack.data_dir))
"""


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def list_open(folder: Path) -> list[str]:
    """List the files that other users can access."""
    found = [folder, *folder.rglob("*")]
    return [f"{path} {path.stat().st_mode:o}" for path in found if path.stat().st_mode & 0o077]


INHERITED = ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX")


def start(folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name in INHERITED}
    command = [sys.executable, "-c", START]
    subprocess.run(command, env=kept | {"HERE": str(folder)}, check=True, capture_output=True)


@pytest.mark.usefixtures("usual_umask")
class TestEmbeddedInstallation:
    def test_writes_files_that_only_its_user_can_access(self, tmp_path: Path) -> None:
        start(tmp_path / "var")
        names = {path.name for path in (tmp_path / "var").rglob("*")}
        assert {"rsolv.sqlite3", "stripe.sqlite3", "beat-schedule.json", "metrics", "web.log"} <= names
        assert list((tmp_path / "var" / "queue").iterdir())
        assert list((tmp_path / "var" / "mail").iterdir())
        assert list_open(tmp_path / "var") == []

    def test_restricts_existing_files(self, tmp_path: Path) -> None:
        for name in ("mail", "queue", "queue-control", "log", "metrics"):
            (tmp_path / "var" / name).mkdir(parents=True)
        for name in ("rsolv.sqlite3-wal", "mail/1.log", "queue/1.msg", "metrics/counter_1.db"):
            (tmp_path / "var" / name).write_bytes(b"")
        assert list_open(tmp_path / "var")
        start(tmp_path / "var")
        assert list_open(tmp_path / "var") == []

    def test_restricts_the_state_of_the_stripe_sandbox(self, tmp_path: Path) -> None:
        state = tmp_path / "state.sqlite3"
        state.touch(mode=0o644)
        with StripeSandbox(state=str(state)):
            assert stat.S_IMODE(state.stat().st_mode) == 0o600


@pytest.mark.usefixtures("usual_umask")
class TestKeepPrivate:
    def test_keeps_shared_folders_and_foreign_files(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o1777)
        (tmp_path / "theirs.txt").touch(mode=0o644)
        make_private(tmp_path)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
        assert stat.S_IMODE((tmp_path / "theirs.txt").stat().st_mode) == 0o644

    def test_does_not_follow_links_out_of_the_folder(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.touch(mode=0o644)
        (tmp_path / "var" / "mail").mkdir(parents=True)
        (tmp_path / "var" / "mail" / "link").symlink_to(outside)
        make_private(tmp_path / "var")
        assert stat.S_IMODE(outside.stat().st_mode) == 0o644

    def test_restricts_a_database_outside_the_folder(self, tmp_path: Path) -> None:
        database = tmp_path / "elsewhere.sqlite3"
        database.touch(mode=0o644)
        make_private(tmp_path / "var", database=str(database))
        assert stat.S_IMODE(database.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "module", ["rsolv.wsgi", "celery.signals; from rsolv.celery import keep_files_private as k; k()"]
)
def test_processes_of_production_write_private_files(module: str) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "rsolv.settings.test", "PATH": os.environ["PATH"]}
    if compiled := os.environ.get("PYTHONPYCACHEPREFIX"):
        settings["PYTHONPYCACHEPREFIX"] = compiled
    read = f"import os; os.umask(0o022); import {module}\nprint(os.umask(0))"
    found = subprocess.run([sys.executable, "-c", read], env=settings, capture_output=True, text=True)
    assert found.stdout.strip() == str(0o077)
