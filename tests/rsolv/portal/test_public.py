import pytest
import yaml
from django.test import Client

from billing.plans import TRIAL
from rsolv.portal import public
from tests.rsolv.portal.conftest import Browser
from tests.rsolv.portal.markup import read_page


def read_rows(client: Client, address: str) -> list[str]:
    page = read_page(client.get(address).text)
    return [row.words for row in page.find_all("tr")][-2:]


class TestPricing:
    def test_says_what_a_usual_month_costs(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/") == [
            "Pay as you go Costs least $300 $15",
            "Teams $499 $24.95",
        ]

    def test_works_out_the_month_that_is_asked_for(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/?fixes=100") == [
            "Pay as you go $1,500 $15",
            "Teams Costs least $819 $8.19",
        ]

    def test_has_no_price_of_a_fix_where_there_is_none(self, client: Client, db: None) -> None:
        assert read_rows(client, "/pricing/?fixes=0")[0] == "Pay as you go Costs least $0 none"

    @pytest.mark.parametrize("fixes", ["-1", "1000001", "many", ""])
    def test_refuses_what_is_no_number_of_fixes(self, client: Client, db: None, fixes: str) -> None:
        response = client.get(f"/pricing/?fixes={fixes}")
        assert response.status_code == 422
        assert "What a month would cost" not in response.text

    def test_names_where_the_plans_meet(self, client: Client, db: None) -> None:
        assert public.find_break_even() == 34
        costs = [[estimate.is_cheapest for estimate in public.estimate_costs(n)] for n in (33, 34)]
        assert costs == [[True, False], [False, True]]
        assert "From 34 fixes a month on" in " ".join(client.get("/pricing/").text.split())

    def test_offers_the_trial(self, client: Client, db: None) -> None:
        assert f"Sign up: {TRIAL.included} fixes free" in client.get("/pricing/").text


class TestSetupGuide:
    def test_has_a_workflow_that_can_be_copied(self, client: Client, db: None, settings) -> None:
        workflow = read_page(client.get("/docs/setup/").text).get("workflow")
        assert workflow
        (*_, last) = yaml.safe_load(workflow.text)["jobs"]["rsolv"]["steps"]
        assert last["uses"] == settings.RSOLV_ACTION


class TestStatus:
    def test_says_that_everything_works(self, client: Client, db: None, monkeypatch) -> None:
        monkeypatch.setattr(public, "check_services", lambda: dict.fromkeys(public.PARTS, "healthy"))
        response = client.get("/status/")
        assert response.status_code == 200
        assert read_page(response.text).find("h1").words == "Everything works"

    def test_says_what_a_part_that_is_down_means(self, client: Client, db: None, monkeypatch) -> None:
        found = dict.fromkeys(public.PARTS, "healthy") | {"stripe": "unhealthy"}
        monkeypatch.setattr(public, "check_services", lambda: found)
        response = client.get("/status/")
        assert response.status_code == 200
        assert "fixes go on and are billed later" in response.text

    def test_needs_no_database(self, alice: Browser, monkeypatch, django_assert_num_queries) -> None:
        found = dict.fromkeys(public.PARTS, "healthy") | {"database": "unhealthy"}
        monkeypatch.setattr(public, "check_services", lambda: found)
        monkeypatch.setattr("rsolv.portal.time_zone._find_zone", lambda request: None)
        with django_assert_num_queries(0):
            assert alice.get("/status/").status_code == 503


class TestTermsAndPrivacy:
    @pytest.mark.parametrize("path", ["/terms/", "/privacy/"])
    def test_says_that_it_is_a_placeholder(self, client: Client, db: None, path: str) -> None:
        assert "This is a placeholder" in client.get(path).text


class TestTheFooter:
    def test_leads_to_every_public_page(self, client: Client, db: None) -> None:
        hrefs = {link.attrs["href"] for link in read_page(client.get("/").text).find_all("a")}
        assert {"/pricing/", "/docs/setup/", "/api/docs", "/status/", "/terms/", "/privacy/"} <= hrefs
