"""Gunicorn's threaded worker, whose threads get complete requests and leave their answers behind.

Gunicorn's own reads each request and writes each answer in a thread, so that eight clients that send half
a request hold eight threads for as long as they like. Here one loop reads and writes for all connections.
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

from core.server.connections import Connection
from core.server.framing import TooManyChunks
from core.server.limits import read_limits
from core.server.refusals import NO_ROOM, TOO_LATE, TOO_MANY_CHUNKS, TOO_MANY_QUEUED
from core.server.room import Room
from core.server.turns import Turns, identify_client
from core.server.waiting import Step, Waiting

CLIENT_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ETIMEDOUT}
RECEIVE_BYTES = 128 * 1024
# So often in a row one connection is read before others are looked at.
READS_AT_ONCE = 4
# After its answer a client may still send so much that is thrown away.
MOST_LINGERING = 16 * 1024 * 1024
LATE_EVERY_SECONDS = 0.25
NOTHING = 0
# How long a thread keeps the interpreter from the loop, in seconds; Python's own 0.005 is long for a loop
# that all requests pass.
SWITCH_SECONDS = 0.001
# What one client's queued requests may hold of the room for all.
QUEUED_SHARE = 4
NOTE_EVERY_SECONDS = 60


class StoringWorker(ThreadWorker):
    """A connection is read, handled, sent, and read again. All but the handling happens in the loop.

    What waits for its client is in `_waiting`; where there is no room for more, the slowest gives way.
    What waits for a thread is in `_turns`, and clients take turns however many requests they have sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = read_limits()
        self.room = Room(self.limits.stored_bytes, lambda: self.method_queue.defer(self._make_room))
        self._waiting = Waiting()
        self._turns = Turns(
            most=self.limits.queued_per_client, most_bytes=self.limits.stored_bytes // QUEUED_SHARE
        )
        self._handed_over = 0
        self._looked_at = 0.0
        self._noted_at = float("-inf")

    def init_process(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        super().init_process()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what would have a thread, or this loop, wait for a client after all."""
        if cfg.is_ssl or cfg.proxy_protocol != "off":
            raise RuntimeError("TLS and the PROXY protocol end at the proxy, not at this worker")

    # From the listener.

    def accept(self, listener: Any) -> None:
        try:
            raw, client = listener.accept()
        except OSError as error:
            self._note_refusal(error)
            return
        self.nr_conns += 1
        server = listener.getsockname()
        conn = Connection(self.cfg, raw, client, server, limits=self.limits, room=self.room)
        self._take(conn, self._read)
        self._make_room()

    def _note_refusal(self, error: OSError) -> None:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            self._give_way(self._waiting.find_first())
        elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
            raise error

    # In the loop.

    def _take(self, conn: Connection, step: Step) -> None:
        """Take a step with a connection; one that fails is dropped, and never the worker with it."""
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
        """Whether that ends the reading: the request is complete, or is none."""
        try:
            if not conn.add(data):
                return False
        except (NoMoreData, StopIteration):
            self._drop(conn)
        except TooManyChunks:
            conn.sock.sendall(TOO_MANY_CHUNKS)
            self._finish(conn, stays=False)
        except OSError:
            raise
        except Exception as error:
            self._refuse(conn, error)
        else:
            self._stop_waiting(conn)
            self.enqueue_req(conn)
        return True

    def _refuse(self, conn: Connection, error: Exception) -> None:
        self.handle_error(None, conn.sock, conn.client, error)
        self._finish(conn, stays=False)

    # To a thread and back.

    def enqueue_req(self, conn: Connection) -> None:
        """Queue a complete request, or refuse it where its client has too many waiting.

        Left unread, such requests would hold their connections, and the client would not learn why.
        """
        client = identify_client(conn.client, conn.arriving.request, proxies=self.limits.trusted_proxies)
        if self._turns.add(client, conn):
            self._hand_over()
        else:
            self._note_queue(client)
            conn.sock.sendall(TOO_MANY_QUEUED)
            self._finish(conn, stays=False)

    def _note_queue(self, client: str) -> None:
        now = time.monotonic()
        if now - self._noted_at > NOTE_EVERY_SECONDS:
            self._noted_at = now
            self.log.warning("%s has too many requests waiting (WEB_QUEUED_PER_CLIENT)", client)

    def _hand_over(self) -> None:
        """Give the threads a request each, and one more, so that none waits for this loop."""
        while self._handed_over <= self.cfg.threads and (conn := self._turns.take()) is not None:
            self._take(conn, self._submit)

    def _submit(self, conn: Connection) -> None:
        super().enqueue_req(conn)
        self._handed_over += 1

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        self._handed_over -= 1
        self._hand_over()
        stays = not fs.cancelled() and fs.exception() is None and fs.result() is True
        self._take(conn, partial(self._finish, stays=stays))

    def _finish(self, conn: Connection, *, stays: bool) -> None:
        self._stop_waiting(conn)
        conn.begin_sending(stays=stays)
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        if not conn.sock.flush():
            self._wait(conn, selectors.EVENT_WRITE, self._send)
            return
        self._stop_waiting(conn)
        if conn.stays:
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
                if conn.lingered > MOST_LINGERING:
                    break
            self._drop(conn)
        except BlockingIOError:
            self._wait(conn, selectors.EVENT_READ, self._linger)

    # Who waits.

    def _wait(self, conn: Connection, event: int, step: Step) -> None:
        self._waiting.put(conn, step)
        self._watch(conn, event)

    def _watch(self, conn: Connection, event: int) -> None:
        if conn.watched == event:
            return
        if conn.watched:
            self.poller.unregister(conn.raw)
        if event:
            self.poller.register(conn.raw, event, lambda _: self._wake(conn))
        conn.watched = event

    def _wake(self, conn: Connection) -> None:
        """Go on with who waits. While a thread has the request, nobody looks at what follows it."""
        if (step := self._waiting.find_step(conn)) is not None:
            self._take(conn, step)
        elif not conn.is_closed:  # else it was dropped for another since the loop looked
            self._watch(conn, NOTHING)

    def _stop_waiting(self, conn: Connection) -> None:
        """It stays watched: most clients send nothing meanwhile, which spares two calls of the kernel."""
        self._waiting.remove(conn)

    def _drop(self, conn: Connection, farewell: bytes = b"") -> None:
        if conn.is_closed:
            return
        self._stop_waiting(conn)
        self._watch(conn, NOTHING)
        self.nr_conns -= 1
        conn.close(farewell)

    def _give_way(self, conn: Connection | None) -> bool:
        if conn is not None:
            self._drop(conn, NO_ROOM)
        return conn is not None

    def _make_room(self) -> None:
        while self.nr_conns >= self.worker_connections and self._give_way(self._waiting.find_first()):
            pass
        while self.room.is_full and self._give_way(self._waiting.find_first_transfer()):
            pass

    # Gunicorn's loop calls these after every look.

    def murder_keepalived(self, force: bool = False) -> None:
        now = time.monotonic()
        if force or now - self._looked_at > LATE_EVERY_SECONDS:
            self._looked_at = now
            for conn in self._waiting:
                if force or conn.is_late(now, is_stopping=not self.alive):
                    self._drop(conn, TOO_LATE)

    def murder_pending(self) -> None:
        """None are pending in gunicorn's sense: a thread gets what is complete."""
