from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django's admin with StaffSite as the default site."""

    default_site = "rsolv.staff.site.StaffSite"
