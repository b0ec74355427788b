"""RSOLV behind an asynchronous server, to be measured: it does not run so."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
