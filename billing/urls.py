from django.urls import path

from . import views

urlpatterns = [
    path("", views.show_billing, name="billing"),
    path("plans/", views.choose_plan, name="billing-plans"),
    path("return/", views.wait_for_stripe, name="billing-return"),
    path("change/", views.change_plan, name="billing-change"),
    path("cancel/", views.cancel_plan, name="billing-cancel"),
    path("resume/", views.resume_plan, name="billing-resume"),
    path("portal/", views.open_portal, name="billing-portal"),
    path("cap/", views.set_cap, name="billing-cap"),
    path("invoices/", views.show_invoices, name="billing-invoices"),
    path("invoices/<str:reference>/", views.show_invoice, name="billing-invoice"),
    path("fixes/<uuid:usage_id>/", views.show_fix, name="billing-fix"),
]
