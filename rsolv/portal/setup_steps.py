"""The steps from signup to the first fix, and which of them the customer has done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from customers.models import ApiKey, Customer
from phases.models import PhaseExecution

Phase = PhaseExecution.Phase


@dataclass(frozen=True)
class SetupStep:
    """One step, and the page on which it is done. `url_name` is empty for a step on GitHub."""

    title: str
    text: str
    is_done: bool
    url_name: str = ""
    link: str = ""


def list_steps(*, customer: Customer) -> list[SetupStep]:
    """List the steps in order. One query. Empty after the first fix, and if the customer has hidden them."""
    if customer.setup_hidden_at is not None:
        return []
    done = _read_progress(customer)
    if done["is_fixed"]:
        return []
    # GitHub's secrets and files are not visible from here. A call proves that the first two steps are done.
    has_called = done["has_called"] or done["is_scanned"]
    return [
        SetupStep(
            _("Save an API key as a secret"),
            _("Add it to the repository's secrets on GitHub, as RSOLV_API_KEY."),
            has_called,
            "keys",
            _("API keys"),
        ),
        SetupStep(
            _("Add the workflow and run it"),
            _("Choose a few options and commit the generated file."),
            has_called,
            "setup",
            _("Create the workflow"),
        ),
        SetupStep(_("Scan"), _("The first run scans the repository and opens issues."), done["is_scanned"]),
        SetupStep(
            _("Get the first fix"), _("It comes as a pull request, with a test that proves it."), False
        ),
    ]


def _read_progress(customer: Customer) -> Mapping[str, Any]:
    keys = ApiKey.objects.filter(customer=OuterRef("pk"))
    phases = PhaseExecution.objects.filter(customer=OuterRef("pk"))
    return (
        Customer.objects.filter(pk=customer.pk)
        .values(
            has_called=Exists(keys.filter(last_used_at__isnull=False)),
            is_scanned=Exists(phases.filter(phase=Phase.SCAN)),
            is_fixed=Exists(phases.filter(phase=Phase.MITIGATION)),
        )
        .get()
    )
