"""`python -m sandbox.bench.echo_server PORT`: answer at once, to measure the most that the client can do."""

import selectors
import socket
import sys

BODY = b'{"ok": true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


def serve(port: int) -> None:
    with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", port)) as listener:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    line, _ = listener.accept()
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(line, selectors.EVENT_READ)
                    continue
                api_client = key.fileobj
                assert isinstance(api_client, socket.socket)
                if api_client.recv(1 << 16):
                    api_client.sendall(ANSWER)
                else:
                    selector.unregister(api_client)
                    api_client.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
