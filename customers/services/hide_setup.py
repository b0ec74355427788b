"""Hide and show the setup steps."""

from datetime import datetime

from customers.models import Customer


def hide_setup(*, customer: Customer, is_hidden: bool, at: datetime) -> None:
    """Hide or show the setup steps. Hiding again keeps the first time."""
    if not is_hidden:
        Customer.objects.filter(pk=customer.pk).update(setup_hidden_at=None)
    else:
        Customer.objects.filter(pk=customer.pk, setup_hidden_at=None).update(setup_hidden_at=at)
