"""Production's settings, for the bench alone: plain HTTP, its own views, a library to compare with."""

from rsolv.settings.prod import *

INSTALLED_APPS += ["rest_framework_api_key"]
MIDDLEWARE = ["sandbox.bench.counting.CountQueriesMiddleware", *MIDDLEWARE]
ROOT_URLCONF = "sandbox.bench.urls"
API_KEY_CUSTOM_HEADER = "HTTP_X_LIBRARY_KEY"
# Static files are not what is measured: no manifest has to be made first.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
