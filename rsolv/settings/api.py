"""Settings of the API: Django REST framework, the OpenAPI document, rate and size limits."""

from core.environment import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["customers.api.auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.auth.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.parsers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["customers.api.throttling.CustomerThrottle"],
    "EXCEPTION_HANDLER": "core.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RSOLV API",
    "DESCRIPTION": (
        "The API that the RSOLV GitHub Action calls. Send your key as `X-API-Key`. Bodies are JSON; NUL "
        "characters are allowed only in `data` of `phases/store`."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_components",
    ],
}
API_MAX_BODY_BYTES = 8 * 1024 * 1024
API_MAX_KEYLESS_BODY_BYTES = 64 * 1024
API_MAX_NESTING = 100
# In a body of 8 MB, one value per 16 bytes and one object or list per 55: twice what real results have.
# See docs/decisions/019.
API_MAX_VALUES = 500_000
API_MAX_CONTAINERS = 150_000
API_REQUESTS_PER_MINUTE = env.count("API_REQUESTS_PER_MINUTE", default=500)
API_TEST_INTEGRATION_PER_MINUTE = env.count("API_TEST_INTEGRATION_PER_MINUTE", default=100)
API_BAD_KEYS_PER_MINUTE = env.count("API_BAD_KEYS_PER_MINUTE", default=30)
# Stripe's events are a few kB. The largest, an invoice with many lines, is about 100 kB.
WEBHOOK_MAX_BODY_BYTES = 1024 * 1024
# Forms only: the API and the webhook read their bodies themselves.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# Limits per customer: docs/decisions/024 (namespaces) and 025 (storage).
NAMESPACE_CLAIMS_TRIAL = env.count("NAMESPACE_CLAIMS_TRIAL", default=5)
NAMESPACE_CLAIMS_SUBSCRIBED = env.count("NAMESPACE_CLAIMS_SUBSCRIBED", default=50)
REPOSITORIES_TRIAL = env.count("REPOSITORIES_TRIAL", default=100)
REPOSITORIES_SUBSCRIBED = env.count("REPOSITORIES_SUBSCRIBED", default=10_000)
STORAGE_TRIAL_MB = env.count("STORAGE_TRIAL_MB", default=50)
STORAGE_SUBSCRIBED_MB = env.count("STORAGE_SUBSCRIBED_MB", default=5_000)
PHASE_MAX_BYTES = {
    "scan": env.count("SCAN_MAX_BYTES", default=API_MAX_BODY_BYTES),
    "validation": env.count("VALIDATION_MAX_BYTES", default=4 * 1024 * 1024),
    "mitigation": env.count("MITIGATION_MAX_BYTES", default=4 * 1024 * 1024),
}
