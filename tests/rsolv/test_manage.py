"""`manage.py` without any environment variables, as the documentation shows it."""

import os
import subprocess
import sys

from django.conf import settings


def test_uses_development_settings(tmp_path) -> None:
    environment = {"PATH": os.environ["PATH"], "RSOLV_DATA_DIR": str(tmp_path)}
    if compiled := os.environ.get("PYTHONPYCACHEPREFIX"):
        environment["PYTHONPYCACHEPREFIX"] = compiled
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
