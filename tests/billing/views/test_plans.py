import pytest

from billing.models import BillingAccount
from billing.services.subscriptions.cancel_plan import NoPlanToCancel
from billing.services.subscriptions.change_plan import PreviewOutdated
from core.formats import format_cents
from customers.models import AuditLogEntry, Membership
from tests.billing.billing_env import BillingEnv
from tests.rsolv.portal.markup import read_page
from tests.tenants import Browser, set_role

from .conftest import open_page

HTMX = {"HX-Request": "true"}
PLANS, RETURN = "/dashboard/billing/plans/", "/dashboard/billing/return/"
CANCEL = "/dashboard/billing/cancel/"


class TestChoosePlan:
    def test_shows_what_each_plan_costs(self, alice: Browser) -> None:
        text = open_page(alice, PLANS).find("main").words
        assert "$15 a fix, nothing else" in text
        assert "$499 a month, 60 fixes included, then $8 each" in text

    @pytest.mark.parametrize("plan", ["payg", "teams"])
    def test_leads_to_checkout_and_back_to_an_open_plan(
        self, alice: Browser, billing_env: BillingEnv, plan: str
    ) -> None:
        response = alice.post(PLANS, {"plan": plan})
        assert response.status_code == 303
        session = billing_env.stripe.control.objects("checkout.session")[0]
        assert response.headers["Location"] == session["url"]
        assert session["success_url"].startswith(
            "http://localhost:8000/dashboard/billing/return/?checkout=done"
        )
        billing_env.stripe.control.complete_checkout(session["id"])
        billing_env.deliver()
        back = alice.get(f"{RETURN}?checkout=done&session={session['id']}", follow=True)
        assert back.redirect_chain == [("/dashboard/billing/", 303)]
        assert "now. Thank you." in back.text

    def test_stands_in_the_audit_log_once_it_is_paid_as_done_by_who_chose_it(
        self, alice: Browser, billing_env: BillingEnv
    ) -> None:
        user = Membership.objects.get(customer=alice.customer).user
        alice.post(PLANS, {"plan": "teams"})
        written = AuditLogEntry.objects.filter(customer=alice.customer)
        assert [(each.action, each.actor) for each in written] == [("checkout_opened", user)]
        session = billing_env.stripe.control.objects("checkout.session")[0]
        billing_env.stripe.control.complete_checkout(session["id"])
        billing_env.deliver()
        alice.post(f"{RETURN}?session={session['id']}")
        changed = AuditLogEntry.objects.filter(customer=alice.customer, action="plan_changed")
        assert [(each.subject, each.actor) for each in changed] == [("Teams, started", user)]

    def test_left_again_is_recorded_as_no_change(self, alice: Browser, billing_env: BillingEnv) -> None:
        alice.post(PLANS, {"plan": "teams"})
        alice.get(f"{RETURN}?checkout=left")
        assert not AuditLogEntry.objects.filter(action="plan_changed").exists()

    def test_another_person_gets_a_page_of_their_own(
        self, alice: Browser, bob: Browser, billing_env: BillingEnv
    ) -> None:
        first = alice.post(PLANS, {"plan": "teams"}).headers["Location"]
        set_role(bob, "billing")
        assert bob.post(PLANS, {"plan": "teams"}).headers["Location"] != first
        sessions = billing_env.stripe.control.objects("checkout.session")
        assert [each["status"] for each in sessions] == ["expired", "open"]
        billing_env.stripe.control.complete_checkout(sessions[1]["id"])
        billing_env.deliver()
        assert AuditLogEntry.objects.get(action="plan_changed").actor == bob.membership.user

    @pytest.mark.parametrize("plan", ["", "trial", "gold"])
    def test_another_plan_is_rejected(self, alice: Browser, plan: str) -> None:
        response = alice.post(PLANS, {"plan": plan})
        assert response.status_code == 422
        assert "Choose one of the plans." in response.text

    def test_who_has_a_plan_is_led_to_changing_it(self, alice: Browser) -> None:
        BillingAccount.objects.update(plan="payg", status="active")
        assert alice.get(PLANS).headers["Location"] == "/dashboard/billing/change/"

    def test_a_second_tab_makes_no_second_subscription(self, alice: Browser, billing_env: BillingEnv) -> None:
        alice.post(PLANS, {"plan": "payg"})
        alice.post(PLANS, {"plan": "payg"})
        assert len(billing_env.stripe.control.objects("checkout.session")) == 1

    def test_stripe_being_away_changes_nothing(self, alice: Browser, billing_env: BillingEnv) -> None:
        billing_env.stripe.control.add_fault("status", path="/v1/checkout/*", status=500, times=None)
        assert alice.post(PLANS, {"plan": "teams"}).status_code == 503
        assert billing_env.account(alice.customer).status == "trialing"


class TestWaitForStripe:
    def find_look(self, browser: Browser, query: str) -> str:
        """Return the URL that the waiting page polls, or nothing if it does not poll."""
        parts = open_page(browser, f"{RETURN}?{query}").find_all("div")
        return next((part.attrs["hx-get"] for part in parts if "hx-get" in part.attrs), "")

    def test_looks_again_by_itself_and_by_a_link(self, alice: Browser) -> None:
        url = f"{RETURN}?checkout=done&session=cs_1&polls=1"
        assert self.find_look(alice, "checkout=done&session=cs_1") == url
        links = open_page(alice, f"{RETURN}?checkout=done&session=cs_1").find_all("a")
        assert url in [link.attrs["href"] for link in links]

    def test_answers_its_waiting_part_with_the_next_one(self, alice: Browser) -> None:
        part = alice.get(f"{RETURN}?session=cs_1&polls=1", headers=HTMX)
        assert "polls=2" in part.text
        assert "<html" not in part.text

    def test_leads_on_as_a_page_once_the_plan_is_open(self, paying: Browser) -> None:
        part = paying.get(f"{RETURN}?session=cs_1&polls=1", headers=HTMX)
        assert (part.status_code, part.headers["HX-Redirect"]) == (200, "/dashboard/billing/")

    @pytest.mark.parametrize("tries", ["20", "999"])
    def test_ends_by_saying_what_to_do(self, alice: Browser, tries: str) -> None:
        query = f"checkout=done&session=cs_1&polls={tries}"
        assert not self.find_look(alice, query)
        assert "Check with Stripe now" in open_page(alice, f"{RETURN}?{query}").find("main").words
        assert alice.get(f"{RETURN}?{query}", headers=HTMX).headers["HX-Redirect"] == f"{RETURN}?{query}"

    @pytest.mark.parametrize("tries", ["-1", "x", "99999", "²"])
    def test_a_strange_count_begins_anew(self, alice: Browser, tries: str) -> None:
        assert "polls=1" in self.find_look(alice, f"polls={tries}")

    def test_asks_stripe_by_post_when_no_news_comes(self, alice: Browser, billing_env: BillingEnv) -> None:
        alice.post(PLANS, {"plan": "payg"})
        session = billing_env.stripe.control.objects("checkout.session")[0]["id"]
        billing_env.stripe.control.complete_checkout(session)
        before = len(billing_env.stripe.control.requests())
        assert alice.get(f"{RETURN}?session={session}").status_code == 200
        assert len(billing_env.stripe.control.requests()) == before
        assert alice.post(f"{RETURN}?session={session}").headers["Location"] == "/dashboard/billing/"
        assert billing_env.account(alice.customer).status == "active"

    def test_another_customers_session_opens_nothing(
        self, alice: Browser, mallory: Browser, billing_env: BillingEnv
    ) -> None:
        for browser in (alice, mallory):
            browser.post(PLANS, {"plan": "payg"})
        session = billing_env.stripe.control.objects("checkout.session")[0]["id"]
        billing_env.stripe.control.complete_checkout(session)
        assert mallory.post(f"{RETURN}?session={session}").status_code == 200
        assert billing_env.account(mallory.customer).status == "trialing"

    def test_who_left_the_page_chooses_again(self, alice: Browser) -> None:
        response = alice.get(f"{RETURN}?checkout=left", follow=True)
        assert response.redirect_chain == [(PLANS, 303)]
        assert "Nothing was charged" in response.text


class TestCancelPlan:
    def test_explains_each_option(self, paying: Browser) -> None:
        text = open_page(paying, CANCEL).find("main").words
        assert "nothing changes. Then a final invoice" in text
        assert "The rest of the month is not refunded." in text

    def test_at_the_period_end_can_be_withdrawn(self, paying: Browser, billing_env: BillingEnv) -> None:
        response = paying.post(CANCEL, {"when": "end"}, follow=True)
        assert "Your plan ends on" in response.text
        assert billing_env.account(paying.customer).cancel_at is not None
        assert "Your plan will continue." in paying.post("/dashboard/billing/resume/", follow=True).text
        entries = AuditLogEntry.objects.filter(customer=paying.customer, actor__isnull=False)
        actions = entries.values_list("action", "subject")
        assert sorted(actions) == [
            ("plan_canceled", "at the end of its period"),
            ("plan_changed", "cancellation withdrawn"),
        ]
        assert billing_env.account(paying.customer).cancel_at is None

    def test_now_ends_the_plan(self, paying: Browser, billing_env: BillingEnv) -> None:
        assert "Your plan has ended." in paying.post(CANCEL, {"when": "now"}, follow=True).text
        assert billing_env.account(paying.customer).status == "canceled"

    def test_with_an_unknown_option_changes_nothing(self, paying: Browser, billing_env: BillingEnv) -> None:
        assert paying.post(CANCEL, {"when": "then"}).status_code == 422
        assert billing_env.account(paying.customer).status == "active"

    def test_without_a_plan_leads_back_with_a_sentence(self, alice: Browser) -> None:
        assert NoPlanToCancel.message in alice.get(CANCEL, follow=True).text

    def test_an_outage_changes_nothing(self, paying: Browser, billing_env: BillingEnv) -> None:
        billing_env.stripe.control.add_fault("cut_before", path="/v1/subscriptions/*", times=None)
        assert paying.post(CANCEL, {"when": "now"}).status_code == 503
        assert billing_env.account(paying.customer).status == "active"


class TestChangePlan:
    CHANGE = "/dashboard/billing/change/"

    def test_charges_what_the_preview_showed(self, alice: Browser, billing_env: BillingEnv) -> None:
        billing_env.subscribe("payg", customer=alice.customer)
        page = open_page(alice, self.CHANGE)
        assert page.find("h1").words == "From Pay as you go to Teams"
        token = next(f.attrs["value"] for f in page.find_all("input") if f.attrs["name"] == "token")
        response = alice.post(self.CHANGE, {"plan": "teams", "token": token}, follow=True)
        assert "You are on Teams now." in response.text
        assert AuditLogEntry.objects.get(actor__isnull=False).subject == "Pay as you go to Teams"
        paid = format_cents(billing_env.stripe.control.objects("invoice")[-1]["amount_paid"])
        assert f"Charged to your card now {paid}" in page.find("main").words

    def test_a_stale_token_shows_a_new_preview_with_an_explanation(
        self, paying: Browser, billing_env: BillingEnv
    ) -> None:
        response = paying.post(self.CHANGE, {"plan": "payg", "token": "old"})
        page = read_page(response.text)
        assert response.status_code == 409
        assert "Your plan has not been changed" in page.find("main").words
        assert PreviewOutdated.message in page.find("main").words
        assert billing_env.account(paying.customer).plan == "teams"

    def test_an_outage_is_explained(self, paying: Browser, billing_env: BillingEnv) -> None:
        billing_env.stripe.control.add_fault("status", path="/v1/invoices/*", status=500, times=None)
        assert paying.get(self.CHANGE).status_code == 503

    def test_without_a_plan_leads_to_the_choice(self, alice: Browser) -> None:
        assert alice.get(self.CHANGE).headers["Location"] == PLANS
