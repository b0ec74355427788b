"""RSOLV's URLs, and those of the benchmark's own views."""

from django.urls import path

from rsolv import urls as ours

from . import views

handler400, handler404, handler500 = ours.handler400, ours.handler404, ours.handler500

urlpatterns = [
    path("bench/bare", views.show_bare),
    path("bench/authenticate", views.OursView.as_view()),
    path("bench/authenticate/library", views.LibraryView.as_view()),
    *ours.urlpatterns,
]
