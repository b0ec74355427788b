from django.urls import path

from . import views

urlpatterns = [
    path("entitlement", views.EntitlementView.as_view(), name="entitlement"),
    path("entitlement/claim", views.ClaimView.as_view(), name="entitlement-claim"),
]
