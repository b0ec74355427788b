"""Create customers."""

from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers.models import Customer


class EmailTaken(DomainError):
    code, status = "VALIDATION_FAILED", 422
    message = gettext_noop("This address cannot be used. If it is yours, log in or reset your password.")


def create_customer(
    *,
    name: str,
    email: str,
    source: Customer.SignupSource = Customer.SignupSource.FORM,
    id: UUID | None = None,
) -> Customer:
    """Create the account that pays. `id` is one that was announced earlier, or a new one.

    Raises EmailTaken.
    """
    try:
        with transaction.atomic():
            return Customer.objects.create(
                id=id or uuid4(), name=name.strip(), email=email.strip().lower(), signup_source=source
            )
    except IntegrityError as error:
        raise EmailTaken(fields={"email": EmailTaken.message}) from error
