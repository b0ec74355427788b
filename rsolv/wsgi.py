import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.private_files import create_only_private_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rsolv.settings.prod")
create_only_private_files()
application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # load all views before the first request
