"""The setup steps are put away, or called back."""

from datetime import datetime

from customers.models import Customer


def hide_setup(*, customer: Customer, is_hidden: bool, at: datetime) -> None:
    """Repeating it keeps the first instant."""
    if not is_hidden:
        Customer.objects.filter(pk=customer.pk).update(setup_hidden_at=None)
    else:
        Customer.objects.filter(pk=customer.pk, setup_hidden_at=None).update(setup_hidden_at=at)
