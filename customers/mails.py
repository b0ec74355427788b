"""The mails of customers."""

from core.mail.catalog import Mail

MAILS = (
    Mail(
        "customers/mail/invitation",
        example={
            "invitation": {
                "customer": {"name": "acme"},
                "invited_by": {"email": "alice@acme.test"},
                "role": "member",
            },
            "path": "/invitations/token/",
        },
    ),
)
