"""GitHub's OAuth endpoints, as far as a login needs them."""

import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template_string, request

from .people import Person

PAGE = """<!DOCTYPE html><html lang="en"><title>GitHub's sandbox</title><h1>Log in to GitHub's sandbox</h1>
<form method="post" action="{{ action }}">{% for person in people %}
<button name="login" value="{{ person.login }}">{{ person.name }} ({{ person.login }})</button>{% endfor %}
<button name="login" value="">Cancel</button></form></html>"""


def make_app(people: Iterable[Person], *, client_id: str, secret: str) -> Flask:
    """Return a Flask application with one OAuth client. A code can be exchanged once, as at GitHub."""
    app = Flask(__name__)
    by_login = {person.login: person for person in people}
    codes: dict[str, Person] = {}
    tokens: dict[str, Person] = {}

    @app.get("/login/oauth/authorize")
    def ask() -> str:
        action = f"/login/oauth/authorize?{request.query_string.decode()}"
        return render_template_string(PAGE, people=by_login.values(), action=action)

    @app.post("/login/oauth/authorize")
    def answer() -> Any:
        back = {"state": request.args["state"]}
        person = by_login.get(request.form["login"])
        if person is None:
            return _return({"error": "access_denied"} | back)
        code = secrets.token_hex(10)
        codes[code] = person
        return _return({"code": code} | back)

    def _return(answered: dict[str, str]) -> Any:
        return redirect(f"{request.args['redirect_uri']}?{urlencode(answered)}")

    @app.post("/login/oauth/access_token")
    def exchange() -> Response:
        known = request.form.get("client_id") == client_id and request.form.get("client_secret") == secret
        person = codes.pop(request.form.get("code", ""), None)
        if not known or person is None:
            return jsonify({"error": "bad_verification_code"})
        token = f"gho_{secrets.token_hex(18)}"
        tokens[token] = person
        return jsonify({"access_token": token, "token_type": "bearer", "scope": "user:email"})

    def _person() -> Person | None:
        return tokens.get(request.headers.get("Authorization", "").partition(" ")[2])

    @app.get("/api/v3/user")
    def user() -> Any:
        person = _person()
        return jsonify(person.profile) if person else (jsonify({"message": "Bad credentials"}), 401)

    @app.get("/api/v3/user/emails")
    def emails() -> Any:
        person = _person()
        return jsonify(person.addresses) if person else (jsonify({"message": "Bad credentials"}), 401)

    return app
