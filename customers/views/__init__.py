"""Pages of the team, invitations and the audit log."""
