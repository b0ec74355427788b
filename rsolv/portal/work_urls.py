"""The pages about the work: what was found, proved and fixed. Below dashboard/."""

from django.urls import path

from . import fixes, overview, repositories, usage_page

urlpatterns = [
    path("", overview.show_overview, name="dashboard"),
    path("fixes/", fixes.show_fixes, name="fixes"),
    path("fixes/<uuid:execution_id>/", fixes.show_fix, name="fix"),
    path("repositories/", repositories.show_repositories, name="repositories"),
    path(
        "repositories/namespaces/<uuid:claim_id>/release/",
        repositories.release_claim,
        name="namespace-release",
    ),
    path("usage/", usage_page.show_usage, name="usage"),
    path("usage/rsolv-usage.csv", usage_page.export_usage, name="usage-export"),
]
