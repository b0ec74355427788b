from django.urls import path

from . import views

urlpatterns = [
    path("dashboard/team/", views.show_team, name="team"),
    path("dashboard/team/invite/", views.invite, name="team-invite"),
    path("dashboard/team/leave/", views.leave, name="team-leave"),
    path("dashboard/team/<int:pk>/role/", views.change_role, name="team-role"),
    path("dashboard/team/<int:pk>/remove/", views.remove, name="team-remove"),
    path("dashboard/team/<int:pk>/transfer/", views.transfer, name="team-transfer"),
    path("dashboard/team/invitations/<uuid:pk>/resend/", views.resend, name="invitation-resend"),
    path("dashboard/team/invitations/<uuid:pk>/revoke/", views.revoke, name="invitation-revoke"),
    path("dashboard/audit-log/", views.show_audit_log, name="audit-log"),
    path("dashboard/audit-log/export/", views.export_audit_log, name="audit-log-export"),
    path("invitations/<str:token>/", views.answer_invitation, name="invitation"),
]
