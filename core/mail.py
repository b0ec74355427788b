"""Mail from templates: `<template>_subject.txt`, `<template>_message.txt` and `<template>_message.html`."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def send_templated_mail(*, template: str, to: list[str], context: dict[str, Any], reference: str) -> None:
    """Send one mail, in text and HTML. Calls out; raises what the mail backend raises.

    `reference` is the row that asks for it: it makes the Message-ID, so that a mail that is sent again
    after a crash is recognised as the same one.
    """
    context = {"base_url": settings.BASE_URL} | context
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    domain = settings.BASE_URL.partition("://")[2].partition(":")[0] or "localhost"
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"{template}_message.txt", context).strip() + "\n",
        to=to,
        headers={"Message-ID": f"<{reference}@{domain}>"},
    )
    mail.attach_alternative(render_to_string(f"{template}_message.html", context), "text/html")
    mail.send()
