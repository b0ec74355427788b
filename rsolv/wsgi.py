import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rsolv.settings.prod")
application = get_wsgi_application()
# Every view is loaded now, and not within somebody's request.
get_resolver().url_patterns  # noqa: B018
