"""The sandbox GitHub as an HTTP server, within a test or standalone."""

import logging
import threading
from collections.abc import Iterable

from werkzeug.serving import make_server

from .app import make_app
from .people import PEOPLE, Person

CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"


class GitHubSandbox:
    """A context manager: `with GitHubSandbox() as github: … github.url …`.

    Serves on 127.0.0.1, on a free port unless `port` is given.
    """

    def __init__(self, people: Iterable[Person] = PEOPLE, *, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        app = make_app(people, client_id=CLIENT_ID, secret=CLIENT_SECRET)
        self._server = make_server("127.0.0.1", port, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "GitHubSandbox":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
