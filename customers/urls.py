from django.urls import path

from customers.views.audit import export_audit_log, show_audit_log
from customers.views.invitation import answer_invitation
from customers.views.team import change_role, invite, leave, remove, resend, revoke, show_team, transfer

urlpatterns = [
    path("dashboard/team/", show_team, name="team"),
    path("dashboard/team/invite/", invite, name="team-invite"),
    path("dashboard/team/leave/", leave, name="team-leave"),
    path("dashboard/team/<int:pk>/role/", change_role, name="team-role"),
    path("dashboard/team/<int:pk>/remove/", remove, name="team-remove"),
    path("dashboard/team/<int:pk>/transfer/", transfer, name="team-transfer"),
    path("dashboard/team/invitations/<uuid:pk>/resend/", resend, name="invitation-resend"),
    path("dashboard/team/invitations/<uuid:pk>/revoke/", revoke, name="invitation-revoke"),
    path("dashboard/audit-log/", show_audit_log, name="audit-log"),
    path("dashboard/audit-log/export/", export_audit_log, name="audit-log-export"),
    path("invitations/<str:token>/", answer_invitation, name="invitation"),
]
