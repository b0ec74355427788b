from typing import Any

from django.db import migrations

from customers.addresses import find_mailbox, find_organization

BATCH = 1000


def write_down(apps: Any, schema_editor: Any) -> None:
    """The trials that accounts have had already: of several with one mailbox, the open one, else the latest."""
    customers = apps.get_model("customers", "Customer").objects
    grants = apps.get_model("provisioning", "TrialGrant")
    seen: set[str] = set()
    rows = [
        *customers.filter(closed_at=None).order_by("created_at").values_list("pk", "email", "created_at"),
        *customers.exclude(closed_at=None).order_by("-created_at").values_list("pk", "email", "created_at"),
    ]
    made = []
    for pk, email, created_at in rows:
        mailbox = find_mailbox(email)
        if mailbox in seen:
            continue
        seen.add(mailbox)
        made.append(
            grants(
                customer_id=pk,
                mailbox=mailbox,
                organization=find_organization(email),
                granted_at=created_at,
            )
        )
    grants.objects.bulk_create(made, batch_size=BATCH, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("provisioning", "0002_signup_requests"),
    ]

    operations = [
        migrations.RunPython(write_down, migrations.RunPython.noop),
    ]
