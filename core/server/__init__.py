"""A gunicorn worker whose threads never wait for a client's bytes. See docs/decisions/020."""
