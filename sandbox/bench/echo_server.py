"""`python -m sandbox.bench.echo_server PORT`: a server that does no work, to measure the client's limit."""

import selectors
import socket
import sys

BODY = b'{"ok": true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


def serve(port: int) -> None:
    """Answer every read with 200, on 127.0.0.1, until the process ends."""
    with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", port)) as listener:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    accepted, _ = listener.accept()
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(accepted, selectors.EVENT_READ)
                    continue
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                if connection.recv(1 << 16):
                    connection.sendall(ANSWER)
                else:
                    selector.unregister(connection)
                    connection.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
