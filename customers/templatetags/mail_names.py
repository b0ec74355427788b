"""`{% load mail_names %}`: names chosen by users, made safe for mails."""

from django import template

from core.http.user_agents import describe_browser
from customers.display_names import clean_for_mail

register = template.Library()


@register.filter
def mail_name(name: str) -> str:
    """`{{ customer.name|mail_name }}`: one line without links, at most 60 characters."""
    return clean_for_mail(str(name or ""))


@register.filter
def mail_device(user_agent: str) -> str:
    """Describe a request's User-Agent, which can contain any text."""
    return clean_for_mail(describe_browser(str(user_agent or "")))
