"""The page at `/`: what the sandbox holds, for a person to read."""

from flask import Blueprint

from sandbox.stripe.control import Control
from sandbox.stripe.world import World


def blueprint(world: World, control: Control, mail_dir: str | None) -> Blueprint:
    routes = Blueprint("page", __name__)

    @routes.get("/")
    def overview() -> str:
        rows = "".join(f"<li>{kind}: {count}</li>" for kind, count in control.state().items())
        return f"<!doctype html><title>Stripe sandbox</title><h1>Stripe sandbox</h1><ul>{rows}</ul>"

    return routes
