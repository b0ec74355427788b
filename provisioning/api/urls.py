from django.urls import path

from . import views

urlpatterns = [path("customers/onboard", views.OnboardView.as_view(), name="onboard")]
