import pytest
from django.test import Client

from tests.rsolv.portal.markup import read_page
from tests.tenants import Browser


@pytest.mark.django_db
class TestHome:
    def test_describes_the_product(self, client: Client) -> None:
        text = read_page(client.get("/").text).find("main").words
        assert "failing test in your own suite" in text
        assert "pull request" in text

    def test_lists_the_plans_with_their_prices(self, client: Client) -> None:
        rows = [row.words for row in read_page(client.get("/").text).find_all("tr")]
        assert rows[1:] == [
            "Trial once, no card $0 10 choose a plan",
            "Pay as you go no monthly price $0 0 $15",
            "Teams for steady work $499 60 $8",
        ]

    def test_has_one_primary_action_that_signs_up(self, client: Client) -> None:
        links = read_page(client.get("/").text).find_all("a")
        primary = [link for link in links if "button-primary" in link.attrs.get("class", "")]
        assert [(link.attrs["href"], link.words) for link in primary] == [
            ("/accounts/signup/", "Sign up: 10 fixes free")
        ]

    def test_links_signed_in_users_to_the_dashboard(self, alice: Browser) -> None:
        hrefs = [link.attrs["href"] for link in read_page(alice.get("/").text).find_all("a")]
        assert "/dashboard/" in hrefs
        assert "/accounts/login/" not in hrefs
