"""The API: DRF, its OpenAPI document, and the limits."""

from .reader import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rsolv.api.auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rsolv.api.auth.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rsolv.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rsolv.api.parsers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "rsolv.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rsolv.api.throttling.CustomerThrottle"],
    "EXCEPTION_HANDLER": "rsolv.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RSOLV API",
    "DESCRIPTION": "What the RSOLV GitHub Action calls. Send your key as `X-API-Key`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}
API_MAX_BODY_BYTES = 8 * 1024 * 1024
API_MAX_KEYLESS_BODY_BYTES = 64 * 1024
API_MAX_NESTING = 100
# A value in 16 bytes, an object or list in 55, in a body of 8 MB: real results have half of that. See
# docs/decisions/019.
API_MAX_VALUES = 500_000
API_MAX_CONTAINERS = 150_000
API_REQUESTS_PER_MINUTE = env.count("API_REQUESTS_PER_MINUTE", default=500)
API_TEST_INTEGRATION_PER_MINUTE = env.count("API_TEST_INTEGRATION_PER_MINUTE", default=100)
API_BAD_KEYS_PER_MINUTE = env.count("API_BAD_KEYS_PER_MINUTE", default=30)
# Stripe's events are a few kB; the largest, an invoice of many lines, about 100.
WEBHOOK_MAX_BODY_BYTES = 1024 * 1024
# Forms of pages; the API and the webhook read their bodies themselves.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
