import pytest
import yaml
from django.db import DatabaseError, connection
from django.test import Client

from billing.plans import TRIAL
from rsolv.portal import public
from tests.rsolv.portal.markup import read_page
from tests.tenants import Browser


def read_rows(client: Client, address: str) -> list[str]:
    page = read_page(client.get(address).text)
    return [row.words for row in page.find_all("tr")][-2:]


class TestPricing:
    def test_estimates_a_typical_month(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/") == [
            "Pay as you go Costs least $300 $15",
            "Teams $499 $24.95",
        ]

    def test_estimates_the_requested_number_of_fixes(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/?fixes=100") == [
            "Pay as you go $1,500 $15",
            "Teams Costs least $819 $8.19",
        ]

    def test_has_no_price_per_fix_without_fixes(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/?fixes=0")[0] == "Pay as you go Costs least $0 none"

    @pytest.mark.parametrize("fixes", ["-1", "1000001", "many", ""])
    def test_rejects_an_invalid_number_of_fixes(self, client: Client, db: None, fixes: str) -> None:
        response = client.get(f"/pricing/?fixes={fixes}")
        assert response.status_code == 422
        assert "What a month would cost" not in response.text

    def test_shows_the_break_even_point(self, client: Client, db: None) -> None:
        assert public.find_break_even() == 34
        costs = [[estimate.is_cheapest for estimate in public.estimate_costs(n)] for n in (33, 34)]
        assert costs == [[True, False], [False, True]]
        assert "From 34 fixes a month on" in " ".join(client.get("/pricing/").text.split())

    def test_offers_the_trial(self, client: Client, db: None) -> None:
        assert f"Sign up: {TRIAL.included} fixes free" in client.get("/pricing/").text


class TestSetupGuide:
    def test_shows_a_valid_workflow(self, client: Client, db: None, settings) -> None:
        workflow = read_page(client.get("/docs/setup/").text).get("workflow")
        assert workflow
        (*_, last) = yaml.safe_load(workflow.text)["jobs"]["rsolv"]["steps"]
        assert last["uses"] == settings.RSOLV_ACTION


class TestStatus:
    def test_reports_that_everything_works(self, client: Client, db: None, monkeypatch) -> None:
        monkeypatch.setattr(public, "check_services", lambda: dict.fromkeys(public.PARTS, "healthy"))
        response = client.get("/status/")
        assert response.status_code == 200
        assert read_page(response.text).find("h1").words == "Everything works"

    def test_explains_the_effect_of_an_unavailable_service(
        self, client: Client, db: None, monkeypatch
    ) -> None:
        found = dict.fromkeys(public.PARTS, "healthy") | {"stripe": "unhealthy"}
        monkeypatch.setattr(public, "check_services", lambda: found)
        response = client.get("/status/")
        assert response.status_code == 200
        assert "Fixes continue and are billed later" in response.text

    def test_is_served_to_a_signed_in_user_without_the_database(self, alice: Browser, monkeypatch) -> None:
        def fail(*_: object) -> None:
            raise DatabaseError

        found = dict.fromkeys(public.PARTS, "healthy") | {"database": "unhealthy"}
        monkeypatch.setattr(public, "check_services", lambda: found)
        with connection.execute_wrapper(fail):
            response = alice.get("/status/")
        assert response.status_code == 503
        assert read_page(response.text).find("h1")


class TestLegalPages:
    @pytest.mark.parametrize("path", ["/terms/", "/privacy/"])
    def test_are_marked_as_placeholders(self, client: Client, db: None, path: str) -> None:
        assert "This is a placeholder" in client.get(path).text


class TestFooter:
    def test_links_to_every_public_page(self, client: Client, db: None) -> None:
        hrefs = {link.attrs["href"] for link in read_page(client.get("/").text).find_all("a")}
        assert {"/pricing/", "/docs/setup/", "/api/docs", "/status/", "/terms/", "/privacy/"} <= hrefs
