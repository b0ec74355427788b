from django.urls import include, path

from . import keys, new_account, public, security, settings, setup, views

urlpatterns = [
    path("", views.show_home, name="home"),
    path("dashboard/", include("rsolv.portal.work_urls")),
    path("dashboard/new-account/", new_account.start_account, name="account-start"),
    path("dashboard/keys/", keys.show_keys, name="keys"),
    path("dashboard/keys/<uuid:key_id>/rotate/", keys.rotate_key, name="key-rotate"),
    path("dashboard/keys/<uuid:key_id>/revoke/", keys.revoke_key, name="key-revoke"),
    path("dashboard/setup/", setup.show_setup, name="setup"),
    path("dashboard/setup/rsolv.yml", setup.download_workflow, name="setup-download"),
    path("dashboard/setup/connection/", setup.show_connection, name="setup-connection"),
    path("dashboard/setup/hide/", setup.hide_setup, name="setup-hide"),
    path("dashboard/settings/", settings.show_settings, name="settings"),
    path("dashboard/settings/profile/", settings.change_profile, name="settings-profile"),
    path("dashboard/settings/company/", settings.rename_company, name="settings-company"),
    path("dashboard/settings/mail/", settings.choose_mail, name="settings-mail"),
    path("dashboard/settings/export/", settings.export, name="settings-export"),
    path("dashboard/settings/close/", settings.close, name="settings-close"),
    path("pricing/", public.show_pricing, name="pricing"),
    path("docs/setup/", public.show_setup_guide, name="setup-guide"),
    path("status/", public.show_status, name="status"),
    path("terms/", public.show_terms, name="terms"),
    path("privacy/", public.show_privacy, name="privacy"),
    path("security/", security.show_security, name="security"),
    path(".well-known/security.txt", security.show_security_txt, name="security-txt"),
]
