COLUMNS = "sku, name, price_cents"


def find_product(database, sku):
    row = database.execute(
        "SELECT " + COLUMNS + " FROM products WHERE published = 1 AND sku = ?", (sku,)
    ).fetchone()
    return dict(row) if row else None
