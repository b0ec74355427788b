from flask import Flask

from app import database
from app.catalog.routes import catalog
from app.orders.routes import orders


def create_app(database_path="shop.sqlite3"):
    app = Flask(__name__)
    app.config["DATABASE"] = str(database_path)
    app.teardown_appcontext(database.close)
    app.register_blueprint(catalog)
    app.register_blueprint(orders)
    return app
