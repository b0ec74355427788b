"""`manage.py check_revocation`: check that the next request with an ended key is rejected."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.commands.base import BaseCommand
from customers import key_cache
from sandbox.revocation_check import run_check


class Command(BaseCommand):
    help = (
        "Authenticate from many threads while keys are ended. Prints JSON and writes revocation_check.json."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--authentications", type=int, default=100_000)
        parser.add_argument("--revocations", type=int, default=1_000)
        parser.add_argument("--threads", type=int, default=8)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, authentications: int, revocations: int, threads: int, seed: int, **_: Any) -> None:
        if not key_cache.is_on():
            raise CommandError("The check needs the key cache: set REDIS_URL.")
        verdict = run_check(
            authentications=authentications, revocations=revocations, threads=threads, seed=seed
        )
        text = json.dumps(verdict.to_dict(), indent=2)
        Path(settings.DATA_DIR, "revocation_check.json").write_text(text + "\n")
        self.stdout.write(text)
        if verdict.accepted_after_end:
            raise CommandError(
                f"{verdict.accepted_after_end} requests were accepted after their key had ended."
            )
