"""A WSGI application that returns what it received. Not RSOLV: these tests cover only the server."""

import hashlib
import json
import time
from urllib.parse import parse_qs


def application(environ, start_response):
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    return ROUTES[environ["PATH_INFO"]](environ, start_response, **query)


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    return _answer(start_response, {"length": len(body), "hash": hashlib.sha256(body).hexdigest()})


def say(environ, start_response, word):
    return _answer(start_response, {"word": word})


def ignore(environ, start_response):
    return _answer(start_response, {})


def wait(environ, start_response, seconds):
    time.sleep(float(seconds))
    return _answer(start_response, {})


def stream(environ, start_response, megabytes):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (b"x" * 65536 for _ in range(int(megabytes) * 16))


def fail_midway(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])

    def pieces():
        yield b"x" * 100
        raise ValueError

    return pieces()


def _answer(start_response, content):
    body = json.dumps(content).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


ROUTES = {
    "/echo": echo,
    "/say": say,
    "/ignore": ignore,
    "/wait": wait,
    "/stream": stream,
    "/fail": fail_midway,
}
