def test_shows_a_product(client):
    assert client.get("/products/TEA-1").get_json()["name"] == "Green tea"


def test_hides_what_is_not_published(client):
    assert client.get("/products/MUG-9").status_code == 404
