"""A real gunicorn with the deployed configuration but short timeouts, and clients that write raw bytes."""

import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from sandbox.processes import Supervisor, pick_any_port
from sandbox.stack import CONFIG, HOST

HEAD_SECONDS, TRANSFER_SECONDS = 1, 1
APPLICATION = [sys.executable, "-m", "gunicorn", "tests.core.server.echo", "--config", str(CONFIG)]
OPTIONS = ["--no-control-socket", "--workers", "1", "--threads", "2", "--worker-connections", "100"]


class Server:
    def __init__(self, port):
        self.port = port

    def connect(self, data=b"", *, receive_buffer=None, source=None):
        client = socket.socket()
        if source:
            client.bind((source, 0))
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(10)
        client.connect((HOST, self.port))
        client.sendall(data)
        return client

    def exchange(self, data):
        """Send the data and return all that is received until the server closes the connection."""
        with self.connect(data) as client:
            return receive_all(client)

    def ask(self, path, **options):
        return httpx.request(
            options.pop("method", "GET"), f"http://{HOST}:{self.port}{path}", trust_env=False, **options
        )

    def is_up(self):
        try:
            return self.ask("/say?word=up").is_success
        except httpx.TransportError:
            return False


def receive_all(client):
    """Receive until the server closes or resets the connection."""
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def receive_until(client, word):
    """Receive until the word has arrived, or the server closes the connection."""
    received = b""
    while word not in received and (piece := client.recv(65536)):
        received += piece
    return received


def is_closed_within(client, seconds):
    """Whether the server closes the connection in this time, ignoring what it sends."""
    client.settimeout(0.05)
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            if not client.recv(65536):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def start(supervisor, *, port, **options):
    named = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    supervisor.start("web", [*APPLICATION, *OPTIONS, *named, "--bind", f"{HOST}:{port}"])
    server = Server(port)
    supervisor.wait_for("the server", server.is_up)
    return server


@pytest.fixture(scope="package")
def environment(tmp_path_factory):
    return {
        "WEB_HEAD_SECONDS": str(HEAD_SECONDS),
        "WEB_TRANSFER_SECONDS": str(TRANSFER_SECONDS),
        "WEB_BYTES_A_SECOND": "1000000",
        "WEB_STORED_MEGABYTES": "64",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("metrics")),
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
    }


@pytest.fixture(scope="package")
def server(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with Supervisor(environment=environment, log_dir=folder) as supervisor:
        yield start(supervisor, port=pick_any_port())
