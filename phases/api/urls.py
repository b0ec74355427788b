from django.urls import path

from phases.api import test_integration_views, views

urlpatterns = [
    path("phases/store", views.StorePhaseView.as_view(), name="phases-store"),
    path("phases/retrieve", views.RetrievePhasesView.as_view(), name="phases-retrieve"),
    path("test-integration/analyze", test_integration_views.AnalyzeView.as_view(), name="analyze"),
    path("test-integration/generate", test_integration_views.GenerateView.as_view(), name="generate"),
    path("test-integration/naming", test_integration_views.NamingView.as_view(), name="naming"),
    path("framework/detect", test_integration_views.DetectFrameworkView.as_view(), name="framework-detect"),
]
