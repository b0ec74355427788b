"""Forms of the team page and of invitations."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.fields import PasswordField
from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from customers.services.end_access import KeyChoice

from . import roles
from .models import Membership, User


class InviteForm(forms.Form):
    """Invite an address in one of the roles that the inviter may assign."""

    email = forms.EmailField(
        max_length=254,
        label=_("Email address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "ann@acme.com"}),
    )
    role = forms.ChoiceField(label=_("Role"), initial=Membership.Role.MEMBER)

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = list_choices(by)  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """Change a member's role."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = list_choices(by)  # type: ignore[attr-defined]


class KeysForm(forms.Form):
    """Choose what happens to the API keys that a person created."""

    keys = forms.ChoiceField(required=False, choices=[(choice.value, choice.value) for choice in KeyChoice])


class JoinForm(forms.Form):
    """Name and password of an invited person who has no login yet."""

    name = forms.CharField(
        max_length=150, label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = PasswordField(
        label=_("Password"),
        autocomplete="new-password",
        help_text=password_validation.password_validators_help_text_html(),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        person = User(email=self.email, name=self.cleaned_data.get("name", ""))
        get_adapter().clean_password(password, user=person)
        return password


def list_choices(by: Membership) -> list[tuple[str, str]]:
    """Return the roles that a member may assign, with their names."""
    return [(role, str(roles.NAMES[role])) for role in roles.list_assignable(by.role)]
