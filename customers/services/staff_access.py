"""Grant and end staff access."""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers.models import StaffAction, User

from .record_staff_action import record_staff_action

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class NotSuperuser(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop("Only a superuser may grant or end staff access, and nobody may end their own.")


class NoSecondFactor(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "This person has not set up 2-step login. They must do so before they get staff access."
    )


@transaction.atomic
def grant_staff_access(
    *, person: User, by: User | None, at: datetime, groups: Iterable[Group] = (), is_superuser: bool = False
) -> None:
    """Give a person access to the staff admin and add them to these groups.

    `by` None is a command on the server. Safe to repeat. Raises NotSuperuser and NoSecondFactor.
    """
    _require_superuser(by)
    theirs = User.objects.select_for_update().get(pk=person.pk)
    if not is_mfa_enabled(theirs, SECOND_FACTORS):
        raise NoSecondFactor
    theirs.is_staff, theirs.is_superuser = True, theirs.is_superuser or is_superuser
    theirs.save(update_fields=["is_staff", "is_superuser"])
    wanted = list(groups)
    theirs.groups.add(*wanted)
    words = ["superuser"] if theirs.is_superuser else [str(group) for group in wanted]
    _record(StaffAction.Action.ACCESS_GRANTED, theirs, ", ".join(words), by, at)


@transaction.atomic
def end_staff_access(*, person: User, by: User | None, at: datetime) -> None:
    """Remove a person's staff access, groups and permissions, effective with their next request.

    Safe to repeat. Raises NotSuperuser.
    """
    _require_superuser(by)
    if by is not None and person.pk == by.pk:
        raise NotSuperuser
    theirs = User.objects.select_for_update().get(pk=person.pk)
    theirs.is_staff = theirs.is_superuser = False
    theirs.save(update_fields=["is_staff", "is_superuser"])
    theirs.groups.clear()
    theirs.user_permissions.clear()
    _record(StaffAction.Action.ACCESS_ENDED, theirs, "", by, at)


def _require_superuser(by: User | None) -> None:
    if by is not None and not (by.is_active and by.is_superuser):
        raise NotSuperuser


def _record(action: StaffAction.Action, person: User, words: str, by: User | None, at: datetime) -> None:
    record_staff_action(action=action, staff=by, subject=person.email, detail=words, at=at)
