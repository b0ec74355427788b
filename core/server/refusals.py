"""What the worker's loop answers by itself. Each ends its connection."""

_BARE = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_LATE = _BARE % b"408 Request Timeout"
TOO_MANY_CHUNKS = _BARE % b"413 Content Too Large"
NO_ROOM = _BARE % b"503 Service Unavailable"
TOO_MANY_QUEUED = _BARE % b"503 Service Unavailable\r\nRetry-After: 1"
