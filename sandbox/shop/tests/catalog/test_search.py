import pytest


def skus(response):
    assert response.status_code == 200
    return [product["sku"] for product in response.get_json()["products"]]


class TestSearch:
    def test_finds_a_part_of_the_name(self, client):
        assert skus(client.get("/products/search?q=tea")) == ["TEA-1"]

    def test_lists_in_order_of_name(self, client):
        assert skus(client.get("/products/search?q=mug")) == ["MUG-1", "MUG-2"]

    def test_leaves_out_what_is_not_published(self, client):
        assert skus(client.get("/products/search?q=anniversary")) == []

    @pytest.mark.parametrize("text", ["", "   ", "teapot"])
    def test_finds_nothing(self, client, text):
        assert skus(client.get("/products/search", query_string={"q": text})) == []


def test_gives_price_in_cents(client):
    (product,) = client.get("/products/search?q=tea").get_json()["products"]
    assert product == {"sku": "TEA-1", "name": "Green tea", "price_cents": 700}
