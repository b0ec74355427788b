from django.urls import path

from . import keys, setup, views

urlpatterns = [
    path("", views.show_home, name="home"),
    path("dashboard/", views.show_dashboard, name="dashboard"),
    path("dashboard/keys/", keys.show_keys, name="keys"),
    path("dashboard/keys/<uuid:key_id>/rotate/", keys.rotate_key, name="key-rotate"),
    path("dashboard/keys/<uuid:key_id>/revoke/", keys.revoke_key, name="key-revoke"),
    path("dashboard/setup/", setup.show_setup, name="setup"),
    path("dashboard/setup/rsolv.yml", setup.download_workflow, name="setup-download"),
    path("dashboard/setup/connection/", setup.show_connection, name="setup-connection"),
    path("dashboard/setup/hide/", setup.hide_setup, name="setup-hide"),
]
