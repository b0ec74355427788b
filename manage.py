#!/usr/bin/env python
"""Run a management command with the development settings unless told otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

from rsolv.terminal import print_exception

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rsolv.settings.dev")
    sys.excepthook = print_exception
    execute_from_command_line(sys.argv)
