"""The page that reauthenticates a person by a code sent by mail."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import BaseReauthenticateView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from core.api.errors import RateLimited
from core.error_messages import translate_error
from customers.models import User

from .mailed_code import find_address, is_code_sent, send_code
from .reauthentication_forms import MailedCodeForm


@method_decorator([never_cache, login_required], name="dispatch")
class ReauthenticateByMailView(BaseReauthenticateView):
    """For people without a password, passkey or second factor: a button mails a code, to be entered here."""

    form_class = MailedCodeForm
    template_name = "account/reauthenticate_by_mail.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {"request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"address": find_address(self.request.user), "is_sent": is_code_sent(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "send" not in request.POST:
            answer: HttpResponseBase = super().post(request, *args, **kwargs)
            return answer
        assert isinstance(request.user, User)
        try:
            send_code(request, request.user)
        except RateLimited as error:
            messages.error(request, _("No more codes for now.") + f" {translate_error(error)}")
        form = self.form_class(request=request)
        page: HttpResponseBase = self.render_to_response(self.get_context_data(form=form))
        return page

    def form_valid(self, form: MailedCodeForm) -> HttpResponse:
        record_authentication(self.request, self.request.user, method="mailed_code", reauthenticated=True)
        response: HttpResponse = super().form_valid(form)
        return response
