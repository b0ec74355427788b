#!/usr/bin/env python
"""Run a management command with the development settings unless DJANGO_SETTINGS_MODULE is set."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rsolv.settings.dev")
    # Not above: importing anything of rsolv makes its Celery application, whose default is production.
    from core.commands.terminal import print_exception

    sys.excepthook = print_exception
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
