"""A minimal browser for the demo: pages, forms, cookies."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

VOID = {"input", "img", "br", "hr", "meta", "link", "source", "wbr"}


@dataclass
class Page(HTMLParser):
    """A parsed page.

    `fields` are the form inputs' values by name, `by_id` the texts of elements by id, `links` the hrefs, and
    `rows` the table rows, each as cell texts by column heading.
    """

    url: str
    status: int
    html: str
    fields: dict[str, str] = field(default_factory=dict)
    by_id: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str]]] = []
        self._headings: list[str] = []
        self._cells: list[str] = []
        self.feed(self.html)
        self.text = " ".join(self.text.split())
        self.by_id = {key: " ".join(value.split()) for key, value in self.by_id.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "input" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        if tag == "thead":
            self._headings = []
        if tag == "tr":
            self._cells = []
        if tag in ("td", "th"):
            self._cells.append("")
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._end_row()
        # Also closes elements without an end tag, such as <p> and <li>.
        while any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "
        for _, attributes in self._open:
            if "id" in attributes:
                self.by_id[attributes["id"]] = self.by_id.get(attributes["id"], "") + data
        if any(name in ("td", "th") for name, _ in self._open):
            self._cells[-1] += data

    def _end_row(self) -> None:
        texts = [" ".join(cell.split()) for cell in self._cells]
        if any(name == "thead" for name, _ in self._open):
            self._headings = texts
        else:
            self.rows.append(dict(zip(self._headings, texts, strict=False)))


class Browser:
    """An HTTP client that keeps cookies and follows redirects."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, follow_redirects=True, timeout=30, trust_env=False)

    def open(self, path: str) -> Page:
        return self._read(self._http.get(path))

    def submit(self, page: Page, **values: str) -> Page:
        """POST the page's form, including hidden fields, to the page's own URL."""
        sent = page.fields | values
        return self._read(self._http.post(page.url, data=sent, headers={"Referer": page.url}))

    def _read(self, answer: httpx.Response) -> Page:
        return Page(url=str(answer.url), status=answer.status_code, html=answer.text)
