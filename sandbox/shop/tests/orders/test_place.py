def test_places_an_order(client):
    response = client.post("/orders", json={"sku": "TEA-1", "quantity": 2})
    assert response.status_code == 201
    assert response.get_json()["id"] == 1


def test_refuses_what_is_not_sold(client):
    assert client.post("/orders", json={"sku": "MUG-9", "quantity": 1}).status_code == 400


def test_refuses_less_than_one(client):
    assert client.post("/orders", json={"sku": "TEA-1", "quantity": 0}).status_code == 400
