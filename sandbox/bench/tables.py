"""All tables at once, as the tests make them: the migrations take a minute."""

from django.conf import settings
from django.core.management import call_command

from sandbox.services import NoMigrations


def make_tables() -> None:
    settings.MIGRATION_MODULES = NoMigrations()
    call_command("migrate", run_syncdb=True, verbosity=0)
