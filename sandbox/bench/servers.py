"""The application servers that are compared, and their command lines on two cores."""

from dataclasses import dataclass

from sandbox.stack import CONFIG

# As deployed. Later options on the command line override the file.
GUNICORN = (
    *("gunicorn", "rsolv.wsgi", "--config", str(CONFIG), "--bind", "{host}:{port}"),
    *("--log-level", "warning", "--no-control-socket"),
)
GRANIAN = ("granian", "--host", "{host}", "--port", "{port}", "--no-access-log", "--log-level", "warning")


@dataclass(frozen=True)
class Server:
    """A server's module and options. `python` is the interpreter that has it, empty for the current one."""

    options: tuple[str, ...]
    python: str = ""

    def build_command(self, host: str, port: int) -> list[str]:
        return [option.format(host=host, port=port) for option in self.options]


def _gthread(workers: int, threads: int) -> Server:
    return Server(
        (*GUNICORN, "--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads))
    )


def _granian(workers: int, threads: int) -> Server:
    options = ("--interface", "wsgi", "--workers", str(workers), "--blocking-threads", str(threads))
    return Server((*GRANIAN, *options, "rsolv.wsgi:application"))


SERVERS = {
    "deployed": Server(GUNICORN),
    "gthread-1x8": _gthread(1, 8),
    "gthread-2x2": _gthread(2, 2),
    "gthread-2x4": _gthread(2, 4),
    "gthread-2x8": _gthread(2, 8),
    "gthread-3x4": _gthread(3, 4),
    "gthread-4x4": _gthread(4, 4),
    "sync-4": Server((*GUNICORN, "--worker-class", "sync", "--workers", "4")),
    "granian-2x1": _granian(2, 1),
    "granian-2x4": _granian(2, 4),
    "uvicorn-2": Server(
        ("uvicorn", "sandbox.bench.asgi:application", "--host", "{host}", "--port", "{port}")
        + ("--workers", "2", "--no-access-log", "--log-level", "warning", "--lifespan", "off")
    ),
}
