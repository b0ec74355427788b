"""The pages of people: their team, the invitations to it, and what was done."""
