"""What customers announce to whoever listens."""

from typing import TypedDict

from django.dispatch import Signal

from .models import ForgeAccount


class NamespaceClaimed(TypedDict):
    """The arguments of `namespace_claimed`. `earlier`: who held it before and released it, never empty."""

    account: ForgeAccount
    earlier: list[ForgeAccount]


# Sent when a customer claims a namespace that another has released, inside the transaction of the claim.
# Sender: ForgeAccount. Arguments: NamespaceClaimed.
namespace_claimed = Signal()
