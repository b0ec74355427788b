from flask import Blueprint, abort, jsonify, request

from app.catalog.products import find_product
from app.database import get_database

orders = Blueprint("orders", __name__, url_prefix="/orders")


@orders.post("")
def place():
    order = request.get_json()
    if find_product(get_database(), order["sku"]) is None or order["quantity"] < 1:
        abort(400)
    database = get_database()
    with database:
        placed = database.execute(
            "INSERT INTO orders (sku, quantity) VALUES (:sku, :quantity)",
            {"sku": order["sku"], "quantity": order["quantity"]},
        )
    return jsonify(id=placed.lastrowid), 201
