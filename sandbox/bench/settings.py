"""Production settings for benchmarks: plain HTTP, the benchmark's own views, a library for comparison."""

from rsolv.settings.prod import *

INSTALLED_APPS += ["rest_framework_api_key"]
MIDDLEWARE = ["sandbox.bench.counting.CountQueriesMiddleware", *MIDDLEWARE]
ROOT_URLCONF = "sandbox.bench.urls"
API_KEY_CUSTOM_HEADER = "HTTP_X_LIBRARY_KEY"
# Static files are not measured, so no manifest has to be created first.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
