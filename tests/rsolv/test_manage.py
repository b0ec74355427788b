"""`manage.py` as the documents name it: without any variable set."""

import os
import subprocess
import sys

from django.conf import settings


def test_takes_the_settings_of_a_developer(tmp_path) -> None:
    environment = {"PATH": os.environ["PATH"], "RSOLV_DATA_DIR": str(tmp_path)}
    if compiled := os.environ.get("PYTHONPYCACHEPREFIX"):
        environment["PYTHONPYCACHEPREFIX"] = compiled
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
