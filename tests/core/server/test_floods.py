"""Idle connections displace other idle connections, not those that transfer data."""

import contextlib
import threading
import time

import pytest

from sandbox.processes import Supervisor, pick_any_port
from tests.core.server.conftest import receive_all, start

HEAD = b"POST /echo HTTP/1.0\r\nHost: here\r\n"
SIZE = 1_000_000
HALF_A_BODY = HEAD + b"Content-Length: 100\r\n\r\nhalf"
FLOODS = {"nothing": b"", "half a body": HALF_A_BODY}
A_SECOND, SECONDS = 150, 3  # the server allows 100 connections


@pytest.fixture(scope="module")
def patient_server(environment, tmp_path_factory):
    patient = environment | {
        "WEB_HEAD_SECONDS": "20",
        "WEB_TRANSFER_SECONDS": "20",
        "WEB_BYTES_A_SECOND": "16384",
    }
    folder = tmp_path_factory.mktemp("patient")
    with Supervisor(environment=patient, log_dir=folder) as supervisor:
        yield start(supervisor, port=pick_any_port())


@contextlib.contextmanager
def flood(server, data):
    """Open new connections that send this data and nothing else."""
    is_over = threading.Event()

    def connect_all():
        with contextlib.ExitStack() as stack:
            for _ in range(2 * A_SECOND * SECONDS):
                if is_over.wait(1 / A_SECOND):
                    return
                with contextlib.suppress(OSError):
                    stack.enter_context(server.connect(data))

    thread = threading.Thread(target=connect_all)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("data", FLOODS.values(), ids=FLOODS)
class TestFlood:
    def test_does_not_abort_an_upload(self, patient_server, data):
        piece = b"x" * (SIZE // 30)
        request = HEAD + b"Content-Length: %d\r\n\r\n" % (30 * len(piece))
        with flood(patient_server, data), patient_server.connect(request) as client:
            for _ in range(30):
                time.sleep(SECONDS / 30)
                client.sendall(piece)
            assert b'"length": %d' % (30 * len(piece)) in receive_all(client)

    def test_does_not_abort_a_response_that_is_read_slowly(self, patient_server, data):
        request = b"GET /stream?megabytes=8 HTTP/1.0\r\nHost: here\r\n\r\n"
        with (
            flood(patient_server, data),
            patient_server.connect(request, receive_buffer=65536) as client,
        ):
            received = 0
            while piece := client.recv(65536):
                received += len(piece)
                time.sleep(SECONDS * len(piece) / (8 * 1024 * 1024))
        assert received > 8 * 1024 * 1024


def test_partial_bodies_do_not_displace_new_connections(patient_server):
    with flood(patient_server, HALF_A_BODY):
        time.sleep(1)
        for _ in range(5):
            with patient_server.connect(b"GET /say?word=hello HTTP/1.0\r\n") as client:
                time.sleep(0.3)
                client.sendall(b"\r\n")
                assert b"hello" in receive_all(client)
