"""Responses that the worker's loop sends by itself. The connection closes after each."""

_BARE = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
REQUEST_TIMEOUT = _BARE % b"408 Request Timeout"
CONTENT_TOO_LARGE = _BARE % b"413 Content Too Large"
SERVICE_UNAVAILABLE = _BARE % b"503 Service Unavailable"
QUEUE_FULL = _BARE % b"503 Service Unavailable\r\nRetry-After: 1"
