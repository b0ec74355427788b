"""A sandbox GitHub for logins: OAuth's three calls, and accounts to log in with."""
