"""Parse a page into its elements."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr", "rect", "circle", "path"}


@dataclass
class Element:
    """A tag with its attributes and the text inside it."""

    tag: str
    attrs: dict[str, str]
    text: str = ""

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


@dataclass
class Page:
    """The elements of a page, in document order."""

    elements: list[Element] = field(default_factory=list)

    def find_all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def find(self, tag: str) -> Element:
        return self.find_all(tag)[0]

    def get(self, id: str) -> Element | None:
        return next((element for element in self.elements if element.attrs.get("id") == id), None)

    @property
    def ids(self) -> list[str]:
        return [element.attrs["id"] for element in self.elements if "id" in element.attrs]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self.open = Page(), list[Element]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.page.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read_page(html: str) -> Page:
    """Return the elements of a page. Raises AssertionError if its tags are not properly nested."""
    reader = _Reader()
    reader.feed(html)
    assert not reader.open, f"<{reader.open[-1].tag}> is never closed"
    return reader.page
