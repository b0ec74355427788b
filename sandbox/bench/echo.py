"""`python -m sandbox.bench.echo PORT`: answers at once with nothing. What the client can do at most."""

import selectors
import socket
import sys

BODY = b'{"ok": true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


def serve(port: int) -> None:
    with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", port)) as door:
        selector.register(door, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is door:
                    line, _ = door.accept()
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(line, selectors.EVENT_READ)
                    continue
                caller = key.fileobj
                assert isinstance(caller, socket.socket)
                if caller.recv(1 << 16):
                    caller.sendall(ANSWER)
                else:
                    selector.unregister(caller)
                    caller.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
