"""RSOLV as an ASGI application, for the benchmark of servers only. Production uses WSGI."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
