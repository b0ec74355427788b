"""The pages about the work: what was found, proved and fixed. Below dashboard/."""

from django.urls import path

from . import fixes, overview

urlpatterns = [
    path("", overview.show_overview, name="dashboard"),
    path("fixes/", fixes.show_fixes, name="fixes"),
    path("fixes/<uuid:execution_id>/", fixes.show_fix, name="fix"),
]
