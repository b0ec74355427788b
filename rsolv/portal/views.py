"""The public home."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing.plans import PLANS


def show_home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html", {"plans": PLANS.values(), "trial": PLANS["trial"]})
