from flask import Blueprint, abort, jsonify, request

from app.catalog.products import find_product
from app.catalog.search import search_products
from app.database import get_database

catalog = Blueprint("catalog", __name__, url_prefix="/products")


@catalog.get("/search")
def search():
    text = request.args.get("q", "").strip()
    return jsonify(products=search_products(get_database(), text) if text else [])


@catalog.get("/<sku>")
def show(sku):
    product = find_product(get_database(), sku)
    if product is None:
        abort(404)
    return jsonify(product)
