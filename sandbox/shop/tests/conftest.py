import pytest

from app import create_app
from app.database import create_tables, get_database

PRODUCTS = [
    ("MUG-1", "Blue mug", 1200, 1),
    ("MUG-2", "Red mug", 1300, 1),
    ("TEA-1", "Green tea", 700, 1),
    ("MUG-9", "Anniversary mug", 9900, 0),
]


@pytest.fixture
def app(tmp_path):
    app = create_app(tmp_path / "shop.sqlite3")
    app.testing = True
    with app.app_context():
        create_tables()
        with get_database() as database:
            database.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", PRODUCTS)
    return app


@pytest.fixture
def client(app):
    return app.test_client()
