from django.urls import path

from billing.views.cap import set_cap
from billing.views.change import change_plan
from billing.views.invoices import show_fix, show_invoice, show_invoices
from billing.views.overview import open_portal, show_billing
from billing.views.plans import cancel_plan, choose_plan, resume_plan, wait_for_stripe

urlpatterns = [
    path("", show_billing, name="billing"),
    path("plans/", choose_plan, name="billing-plans"),
    path("return/", wait_for_stripe, name="billing-return"),
    path("change/", change_plan, name="billing-change"),
    path("cancel/", cancel_plan, name="billing-cancel"),
    path("resume/", resume_plan, name="billing-resume"),
    path("portal/", open_portal, name="billing-portal"),
    path("cap/", set_cap, name="billing-cap"),
    path("invoices/", show_invoices, name="billing-invoices"),
    path("invoices/<str:reference>/", show_invoice, name="billing-invoice"),
    path("fixes/<uuid:usage_id>/", show_fix, name="billing-fix"),
]
