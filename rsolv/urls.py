from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from billing.api.views import receive_stripe_webhook
from core.api.document import OpenApiView
from core.api.health import HealthView, LiveView, ReadyView
from core.api.views import NotFoundView
from provisioning.reauthentication import ReauthenticateByMailView
from provisioning.views.code import confirm_code
from provisioning.views.onboarding import answer_onboarding
from provisioning.views.signup import SignupView, SocialSignupView

handler400 = "core.api.errors.bad_request"
handler404 = "core.api.errors.page_not_found"
handler500 = "core.api.errors.server_error"

api: list[URLPattern | URLResolver] = [
    path("", include("phases.api.urls")),
    path("", include("billing.api.urls")),
    path("", include("provisioning.api.urls")),
]

# API routes come first because Django tries patterns in order.
urlpatterns = [
    path("api/v1/", include(api)),
    path("api/health", HealthView.as_view(), name="health"),
    path("api/health/live", LiveView.as_view(), name="health-live"),
    path("api/health/ready", ReadyView.as_view(), name="health-ready"),
    path("api/openapi", OpenApiView.as_view(), name="openapi"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api-docs"),
    path("api/webhooks/stripe", receive_stripe_webhook, name="stripe-webhook"),
    path("api/<path:rest>", NotFoundView.as_view()),
    path("", include("rsolv.portal.urls")),
    path("", include("customers.urls")),
    path("dashboard/billing/", include("billing.urls")),
    path("accounts/signup/", SignupView.as_view(), name="account_signup"),
    path("accounts/confirm-email/", confirm_code, name="account_email_verification_sent"),
    path("onboarding/<str:token>/", answer_onboarding, name="onboarding"),
    path("accounts/3rdparty/signup/", SocialSignupView.as_view(), name="socialaccount_signup"),
    path("accounts/reauthenticate/code/", ReauthenticateByMailView.as_view(), name="reauthenticate-by-mail"),
    path("accounts/", include("allauth.urls")),
    path("staff/", admin.site.urls),
]
