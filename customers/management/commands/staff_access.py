"""Make a person staff, or staff no longer, from the server's shell."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands.base import BaseCommand
from core.errors import DomainError
from customers.models import User
from customers.services.staff_access import end_staff_access, grant_staff_access


class Command(BaseCommand):
    help = "Let a person into the staff admin (--group, --superuser), or end that (--end)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--group", action="append", default=[], help="A group they are put into.")
        parser.add_argument("--superuser", action="store_true", help="They may do everything.")
        parser.add_argument("--end", action="store_true", help="Take all of it from them.")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["email"]).first()
        if person is None:
            raise CommandError("Nobody logs in with this address. They sign up first.")
        groups = list(Group.objects.filter(name__in=options["group"]))
        if len(groups) != len(set(options["group"])):
            raise CommandError("There is no such group. A superuser adds groups in the staff admin.")
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
        self.stdout.write(f"{person.email}: {'staff no longer' if options['end'] else 'staff'}")
