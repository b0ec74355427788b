"""A customer comes to be."""

from django.db import IntegrityError, transaction

from customers.models import Customer
from rsolv.errors import DomainError


class EmailTaken(DomainError):
    code, status = "VALIDATION_FAILED", 422
    message = "This address cannot be used. If it is yours, log in or reset your password."


def create_customer(
    *, name: str, email: str, source: Customer.SignupSource = Customer.SignupSource.FORM
) -> Customer:
    """Create the account that pays. Raises EmailTaken."""
    try:
        with transaction.atomic():
            return Customer.objects.create(
                name=name.strip(), email=email.strip().lower(), signup_source=source
            )
    except IntegrityError as error:
        raise EmailTaken(fields={"email": EmailTaken.message}) from error
