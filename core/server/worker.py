"""Gunicorn's threaded worker, changed so that one event loop does all reading and writing.

In gunicorn's own, a thread reads each request and writes each response. Eight clients that send half a
request then occupy eight threads for as long as they like. Here threads get complete requests, and their
responses are buffered.
"""

import errno
import selectors
import sys
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import ThreadWorker

from core.server.buffers import BufferBudget
from core.server.connections import Connection
from core.server.error_responses import CONTENT_TOO_LARGE, QUEUE_FULL, REQUEST_TIMEOUT, SERVICE_UNAVAILABLE
from core.server.fair_queue import FairQueue, identify_client
from core.server.framing import TooManyChunks
from core.server.limits import read_limits
from core.server.waiting_connections import Step, WaitingConnections

CLIENT_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ETIMEDOUT}
RECEIVE_BYTES = 128 * 1024
# How many times one connection is read before others get a turn.
READS_AT_ONCE = 4
# After its response a client may send this many bytes, which are discarded.
MAX_LINGERING = 16 * 1024 * 1024
CHECK_EVERY_SECONDS = 0.25
NOTHING = 0
# How long a thread holds the interpreter lock, in seconds. Python's 0.005 would delay the loop, which every
# request passes.
SWITCH_SECONDS = 0.001
# The share of the byte budget that one client's queued requests may use: one in this many.
QUEUED_SHARE = 4
LOG_EVERY_SECONDS = 60


class BufferingWorker(ThreadWorker):
    """Receives, queues, handles and sends. All but the handling happens in the event loop.

    `_waiting` holds connections that wait for their client; if space runs out, the slowest is closed.
    `_queue` holds requests that wait for a thread, served in turn by client.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = read_limits()
        self.budget = BufferBudget(
            self.limits.stored_bytes, lambda: self.method_queue.defer(self._close_slowest)
        )
        self._waiting = WaitingConnections()
        self._queue = FairQueue(
            most=self.limits.queued_per_client, most_bytes=self.limits.stored_bytes // QUEUED_SHARE
        )
        self._handed_over = 0
        self._checked_at = 0.0
        self._logged_at = float("-inf")

    def init_process(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        super().init_process()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Reject settings with which a thread or the loop would wait for a client."""
        if cfg.is_ssl or cfg.proxy_protocol != "off":
            raise RuntimeError("TLS and the PROXY protocol end at the proxy, not at this worker")

    # Called by the listener.

    def accept(self, listener: Any) -> None:
        try:
            raw, client = listener.accept()
        except OSError as error:
            self._handle_accept_error(error)
            return
        self.nr_conns += 1
        server = listener.getsockname()
        conn = Connection(self.cfg, raw, client, server, limits=self.limits, budget=self.budget)
        self._run_step(conn, self._read)
        self._close_slowest()

    def _handle_accept_error(self, error: OSError) -> None:
        # No file descriptor is left. Closing a connection lets the next accept succeed.
        if error.errno in (errno.EMFILE, errno.ENFILE):
            self._close_for_space(self._waiting.get_slowest())
        elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
            raise error

    # In the loop.

    def _run_step(self, conn: Connection, step: Step) -> None:
        """Run a step on a connection. If it fails, drop the connection and keep the worker alive."""
        try:
            step(conn)
        except OSError as error:
            if error.errno not in CLIENT_GONE:
                self.log.warning("Dropping a connection: %s", error)
            self._drop(conn)
        except Exception:
            self.log.exception("Error on a connection")
            self._drop(conn)

    def _read(self, conn: Connection) -> None:
        for _ in range(READS_AT_ONCE):
            try:
                data = conn.raw.recv(RECEIVE_BYTES)
            except BlockingIOError:
                break
            if not data:
                self._drop(conn)
                return
            if self._add(conn, data):
                return
            if len(data) < RECEIVE_BYTES:
                break
        self._wait(conn, selectors.EVENT_READ, self._read)

    def _add(self, conn: Connection, data: bytes) -> bool:
        """Add received bytes. Return whether reading is finished: the request is complete or malformed."""
        try:
            if not conn.add(data):
                return False
        except (NoMoreData, StopIteration):
            self._drop(conn)
        except TooManyChunks:
            conn.sock.sendall(CONTENT_TOO_LARGE)
            self._finish(conn, keep_alive=False)
        except OSError:
            # The client's connection failed, which `_run_step` handles: the request is not malformed.
            raise
        except Exception as error:
            self._reject(conn, error)
        else:
            self._stop_waiting(conn)
            self.enqueue_req(conn)
        return True

    def _reject(self, conn: Connection, error: Exception) -> None:
        self.handle_error(None, conn.sock, conn.client, error)
        self._finish(conn, keep_alive=False)

    # To a thread and back.

    def enqueue_req(self, conn: Connection) -> None:
        """Queue a complete request, or respond with 503 if its client has too many waiting.

        If they were left unread instead, they would hold connections, and the client would not see the
        reason.
        """
        client = identify_client(conn.client, conn.arriving.request, proxies=self.limits.trusted_proxies)
        if self._queue.add(client, conn):
            self._hand_over()
        else:
            self._log_full_queue(client)
            conn.sock.sendall(QUEUE_FULL)
            self._finish(conn, keep_alive=False)

    def _log_full_queue(self, client: str) -> None:
        now = time.monotonic()
        if now - self._logged_at > LOG_EVERY_SECONDS:
            self._logged_at = now
            self.log.warning("%s has too many requests waiting (WEB_QUEUED_PER_CLIENT)", client)

    def _hand_over(self) -> None:
        """Submit one request per thread and one more, so that no thread waits for this loop."""
        while self._handed_over <= self.cfg.threads and (conn := self._queue.take()) is not None:
            self._run_step(conn, self._submit)

    def _submit(self, conn: Connection) -> None:
        super().enqueue_req(conn)
        self._handed_over += 1

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        self._handed_over -= 1
        # Before the response is sent, so that the thread does not wait for it.
        self._hand_over()
        keep_alive = not fs.cancelled() and fs.exception() is None and fs.result() is True
        self._run_step(conn, partial(self._finish, keep_alive=keep_alive))

    def _finish(self, conn: Connection, *, keep_alive: bool) -> None:
        self._stop_waiting(conn)
        conn.begin_sending(keep_alive=keep_alive)
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        if not conn.sock.flush():
            self._wait(conn, selectors.EVENT_WRITE, self._send)
            return
        self._stop_waiting(conn)
        if conn.keep_alive:
            self._read_next(conn)
        else:
            conn.begin_lingering()
            self._linger(conn)

    def _read_next(self, conn: Connection) -> None:
        surplus = conn.arriving.surplus
        conn.await_request(self.cfg.keepalive)
        if not (surplus and self._add(conn, surplus)):
            self._wait(conn, selectors.EVENT_READ, self._read)

    def _linger(self, conn: Connection) -> None:
        try:
            while data := conn.raw.recv(RECEIVE_BYTES):
                conn.lingered += len(data)
                if conn.lingered > MAX_LINGERING:
                    break
            self._drop(conn)
        except BlockingIOError:
            self._wait(conn, selectors.EVENT_READ, self._linger)

    # Waiting connections.

    def _wait(self, conn: Connection, event: int, step: Step) -> None:
        self._waiting.put(conn, step)
        self._poll(conn, event)

    def _poll(self, conn: Connection, event: int) -> None:
        if conn.polled_event == event:
            return
        if conn.polled_event:
            self.poller.unregister(conn.raw)
        if event:
            self.poller.register(conn.raw, event, lambda _: self._wake(conn))
        conn.polled_event = event

    def _wake(self, conn: Connection) -> None:
        """Continue a waiting connection.

        While a thread handles its request, bytes that follow are left unread.
        """
        if (step := self._waiting.find_step(conn)) is not None:
            self._run_step(conn, step)
        elif not conn.is_closed:  # it may have been closed for space after the poll
            self._poll(conn, NOTHING)

    def _stop_waiting(self, conn: Connection) -> None:
        """Remove a connection from the waiting ones but keep polling it.

        Most clients send nothing while they wait, so this saves two system calls.
        """
        self._waiting.remove(conn)

    def _drop(self, conn: Connection, response: bytes = b"") -> None:
        if conn.is_closed:
            return
        self._stop_waiting(conn)
        self._poll(conn, NOTHING)
        self.nr_conns -= 1
        conn.close(response)

    def _close_for_space(self, conn: Connection | None) -> bool:
        if conn is not None:
            self._drop(conn, SERVICE_UNAVAILABLE)
        return conn is not None

    def _close_slowest(self) -> None:
        while self.nr_conns >= self.worker_connections and self._close_for_space(self._waiting.get_slowest()):
            pass
        while self.budget.is_full and self._close_for_space(self._waiting.get_slowest_transfer()):
            pass

    # Gunicorn's loop calls these after every poll.

    def murder_keepalived(self, force: bool = False) -> None:
        now = time.monotonic()
        if force or now - self._checked_at > CHECK_EVERY_SECONDS:
            self._checked_at = now
            for conn in self._waiting:
                if force or conn.is_overdue(now, is_stopping=not self.alive):
                    self._drop(conn, REQUEST_TIMEOUT)

    def murder_pending(self) -> None:
        """Nothing is pending in gunicorn's sense: threads get complete requests only."""
