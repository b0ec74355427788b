"""/v1/products"""

from typing import Any

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    LIST,
    METADATA,
    Choice,
    Field,
    Filled,
    Flag,
    Listed,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import listed
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

_COMMON: dict[str, Field] = {
    "active": Flag(),
    "description": Text(40000),
    "images": Listed(Text()),
    "marketing_features": Listed(Shape({"name": Required(Text())})),
    "metadata": METADATA,
    "shippable": Flag(),
    "statement_descriptor": Text(22),
    "tax_code": Text(),
    "unit_label": Text(),
    "url": Text(),
}
CREATE: dict[str, Field] = {
    **_COMMON,
    "name": Required(Text()),
    "id": Text(),
    "type": Choice(("good", "service")),
}
UPDATE: dict[str, Field] = {**_COMMON, "name": Filled(Text()), "default_price": Text()}


@route("POST", "/v1/products", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    id = params.get("id") or new_id("prod", 14)
    if env.store.find(id):
        raise StripeFailure("Product already exists.", code="resource_already_exists", param="id")
    return make_product(env, id, params)


def make_product(env: StripeEnvironment, id: str, params: Record) -> Record:
    """Create a product and emit its event."""
    return env.add(
        "product",
        id,
        event="product.created",
        active=params.get("active", True),
        default_price=None,
        description=params.get("description"),
        images=params.get("images") or [],
        marketing_features=params.get("marketing_features") or [],
        metadata=merged({}, params.get("metadata")),
        name=params["name"],
        package_dimensions=None,
        shippable=params.get("shippable"),
        statement_descriptor=params.get("statement_descriptor"),
        tax_code=params.get("tax_code"),
        type=params.get("type") or "service",
        unit_label=params.get("unit_label"),
        updated=env.now(),
        url=params.get("url"),
    )


@route("GET", "/v1/products", {**LIST, "active": Flag(), "ids": Listed(Text())})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    def keep(product: Record) -> bool:
        return params.get("active") in (None, product["active"]) and (
            "ids" not in params or product["id"] in params["ids"]
        )

    return page(env.store, "product", params, "/v1/products", keep=keep)


@route("GET", "/v1/products/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("product", id)


@route("POST", "/v1/products/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    product = env.require("product", id)
    if params.get("default_price"):
        env.require("price", params["default_price"], "default_price")
    changes: dict[str, Any] = {
        name: value for name, value in params.items() if name not in ("metadata", "expand")
    }
    if "metadata" in params:
        changes["metadata"] = merged(product["metadata"], params["metadata"])
    return env.change(product, "product.updated", **changes, updated=env.now())


@route("DELETE", "/v1/products/{id}")
def delete(env: StripeEnvironment, params: Record, id: str) -> Record:
    product = env.require("product", id)
    if env.store.count("price", product=id):
        raise StripeFailure("This product cannot be deleted because it has one or more user-created prices.")
    # Before the change: a deleted object is shown by its id only, but the event holds all of it.
    env.emit("product.deleted", product)
    return env.change(product, deleted=True)


@route("GET", "/v1/products/{id}/features", LIST)
def list_features(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Return none: entitlements are not implemented."""
    env.require("product", id, "product")
    return listed(f"/v1/products/{id}/features", [])
