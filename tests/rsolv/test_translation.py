"""Every text in the templates of pages and mails is inside a translation tag."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = settings.BASE_DIR / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.*") if path.suffix in (".html", ".txt"))
# Names, CSS classes, and texts that need no translation: URLs and code.
NAMES = {"RSOLV", "PDF", "narrow", "home", "text"}
CODE = re.compile(r"\S*[/_.]\S*")
MARKED = re.compile(r"{% blocktrans.*?{% endblocktrans\w* %}", re.S)
COMMENTS = r"{#.*?#}|{% comment.*?{% endcomment %}|<!--.*?-->"
NO_WORDS = re.compile(rf"{COMMENTS}|<style>.*?</style>|<script.*?</script>", re.S)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.S)
ELEMENTS = re.compile(r"<[^>]*>", re.S)
ATTRIBUTES = re.compile(r'(?:aria-label|title|placeholder|alt|data-done|data-label)="([^"]*)"')


def list_unmarked(text: str) -> Iterator[str]:
    """Yield the texts that are shown to readers outside of translation tags."""
    bare = TAGS.sub("\n", NO_WORDS.sub("", MARKED.sub("", text)))
    pieces = [*ATTRIBUTES.findall(bare), *ELEMENTS.sub("\n", bare).splitlines()]
    for piece in (each.strip(" ·") for each in pieces):
        if re.search(r"[A-Za-z]{2}", piece) and piece not in NAMES and not CODE.fullmatch(piece):
            yield piece


class TestTemplates:
    @pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
    def test_have_no_unmarked_texts(self, path: Path) -> None:
        assert list(list_unmarked(path.read_text())) == []

    def test_unmarked_texts_are_detected(self) -> None:
        text = '<p title="Here too">Plain {{ name }} {% translate "marked" %}</p>'
        assert list(list_unmarked(text)) == ["Here too", "Plain"]
