"""Mail from templates: `<template>_subject.txt`, `<template>_message.txt` and `<template>_message.html`."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def send_templated_mail(*, template: str, to: list[str], context: dict[str, Any], reference: UUID) -> None:
    """Send one mail as text and HTML. Calls the mail backend and raises what it raises.

    `reference` is the id of the outbox row. The Message-ID derives from it.
    """
    context = {"base_url": settings.BASE_URL} | context
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"{template}_message.txt", context).strip() + "\n",
        to=to,
        headers={"Message-ID": make_message_id(reference)},
    )
    mail.attach_alternative(render_to_string(f"{template}_message.html", context), "text/html")
    mail.send()


def make_message_id(reference: UUID) -> str:
    """Return the Message-ID of a row's mail.

    It is the same when a mail is sent again after a crash, so that mail programs recognize the duplicate.
    """
    domain = settings.BASE_URL.partition("://")[2].partition(":")[0] or "localhost"
    return f"<{reference}@{domain}>"
