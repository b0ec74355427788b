from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site: its own login, two steps, and nothing shown by default."""

    default_site = "rsolv.staff.site.StaffSite"
