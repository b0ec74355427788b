"""/v1/webhook_endpoints"""

from typing import Any

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import bad_parameter
from sandbox.stripe.ids import new_id, new_secret
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Field, Filled, Flag, Listed, Required, Text, merged
from sandbox.stripe.render import present
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

CREATE: dict[str, Field] = {
    "url": Required(Text()),
    "enabled_events": Required(Listed(Text())),
    "api_version": Text(),
    "connect": Flag(),
    "description": Text(),
    "metadata": METADATA,
}
UPDATE: dict[str, Field] = {
    "url": Filled(Text()),
    "enabled_events": Filled(Listed(Text())),
    "description": Text(),
    "disabled": Flag(),
    "metadata": METADATA,
}


@route("POST", "/v1/webhook_endpoints", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    """Create an endpoint; the only response that contains the signing secret."""
    endpoint = add_endpoint(env, params, new_secret("whsec"))
    return {**present(env.store, endpoint), "secret": endpoint["_secret"]}


def add_endpoint(env: StripeEnvironment, params: Record, secret: str) -> Record:
    _check_url(params["url"])
    return env.add(
        "webhook_endpoint",
        new_id("we"),
        api_version=params.get("api_version"),
        application=None,
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        metadata=merged({}, params.get("metadata")),
        status="enabled",
        url=params["url"],
        _secret=secret,
    )


@route("GET", "/v1/webhook_endpoints", LIST)
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(env.store, "webhook_endpoint", params, "/v1/webhook_endpoints")


@route("GET", "/v1/webhook_endpoints/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("webhook_endpoint", id)


@route("POST", "/v1/webhook_endpoints/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    endpoint = env.require("webhook_endpoint", id)
    names = ("url", "enabled_events", "description")
    changes: dict[str, Any] = {name: params[name] for name in names if name in params}
    if "url" in changes:
        _check_url(changes["url"])
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        changes["metadata"] = merged(endpoint["metadata"], params["metadata"])
    return env.change(endpoint, **changes)


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.change(env.require("webhook_endpoint", id), deleted=True)


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise bad_parameter(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid", "url"
        )
