"""Pages are usable by keyboard."""

from playwright.sync_api import expect

from .live_server_stack import PHONE, Person


class TestMenu:
    def test_closes_with_escape_and_returns_the_focus(self, person: Person) -> None:
        page = person.log_in("teams@demo.example")
        page.set_viewport_size(PHONE)
        button = page.locator("summary").get_by_text("Menu", exact=True)
        first = page.get_by_role("banner").get_by_role("link", name="Overview", exact=True)
        button.press("Enter")
        page.keyboard.press("Tab")
        expect(first).to_be_focused()
        page.keyboard.press("Escape")
        expect(first).to_be_hidden()
        expect(button).to_be_focused()
