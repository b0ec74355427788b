from django.urls import path

from . import views

urlpatterns = [
    path("phases/store", views.StorePhaseView.as_view(), name="phases-store"),
    path("phases/retrieve", views.RetrievePhasesView.as_view(), name="phases-retrieve"),
]
