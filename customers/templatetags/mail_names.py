"""`{% load mail_names %}`: names that people chose, as a mail shows them."""

from django import template

from customers.display_names import clean_for_mail

register = template.Library()


@register.filter
def mail_name(name: str) -> str:
    """`{{ customer.name|mail_name }}`: one line without links, at most 60 characters."""
    return clean_for_mail(str(name or ""))
