"""Gunicorn's worker for RSOLV: threads that never wait for a client's bytes. See docs/decisions/020."""
