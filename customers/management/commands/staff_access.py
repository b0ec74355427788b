"""`manage.py staff_access`: grant or end staff access from the server's shell."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands.base import BaseCommand
from core.errors import DomainError
from customers.models import User
from customers.services.staff_access import end_staff_access, grant_staff_access


class Command(BaseCommand):
    help = "Grant a person access to the staff admin (--group, --superuser), or end it (--end)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--group", action="append", default=[], help="Add the person to this group.")
        parser.add_argument("--superuser", action="store_true", help="Grant all permissions.")
        parser.add_argument(
            "--end", action="store_true", help="End staff access and remove all groups and permissions."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["email"]).first()
        if person is None:
            raise CommandError("No person logs in with this address. They must sign up first.")
        groups = list(Group.objects.filter(name__in=options["group"]))
        if len(groups) != len(set(options["group"])):
            raise CommandError("A group does not exist. A superuser creates groups in the staff admin.")
        try:
            if options["end"]:
                end_staff_access(person=person, by=None, at=timezone.now())
            else:
                grant_staff_access(
                    person=person,
                    by=None,
                    groups=groups,
                    is_superuser=options["superuser"],
                    at=timezone.now(),
                )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{person.email}: {'staff access ended' if options['end'] else 'staff access granted'}"
        )
