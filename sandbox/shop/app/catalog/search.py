LIMIT = 50


def search_products(database, text):
    """Published products whose name contains the text, in order of name."""
    query = f"""
        SELECT sku, name, price_cents FROM products
        WHERE published = 1 AND name LIKE '%{text}%'
        ORDER BY name LIMIT {LIMIT}
    """
    return [dict(row) for row in database.execute(query)]
