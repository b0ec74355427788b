"""Finds names of a test that are not known to be bound."""

from __future__ import annotations

import re

from phases.test_integration.languages.ruby.outline import Outline
from phases.test_integration.languages.ruby.snippet import Snippet
from phases.test_integration.plan.protocols import InsertionWarning

# Names that Ruby, RSpec, minitest or Rails provide to every test.
_KNOWN_WORDS = """
    puts p pp print raise fail rand sleep loop binding lambda proc caller gets exit abort srand format
    block_given? __method__ self nil true false subject is_expected described_class response request
    page session flash cookies params assigns controller be be_nil be_empty be_truthy be_falsey be_falsy
    be_present be_blank be_valid be_successful be_success be_redirect anything raise_error throw_symbol
    exist pending skip pass flunk mock it_behaves_like redirect_to have_http_status output private
    public rails_helper assert refute yield_control default_url_options routes app last_response
    last_request freeze_time travel_back follow_redirect! driver example now
    focus
"""
_KNOWN = frozenset(_KNOWN_WORDS.split())
_RUBY_NAME = re.compile(r"[@a-z_]\w*[?!]?")


def unbound(snippet: Snippet, outline: Outline) -> list[InsertionWarning]:
    """Return a warning for each name that the file does not mention: a helper elsewhere, or an error."""
    content = outline.document.content
    own = {name for group in snippet.outline.groups for name in group.bound}
    found = []
    for name in sorted(snippet.bare_names - _KNOWN - own):
        # RSpec makes matchers such as `be_valid` from a method's name.
        if not _RUBY_NAME.fullmatch(name) or re.search(rb"\b(?:be|have)_", name.encode()):
            continue
        if not re.search(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)", content):
            found.append(
                InsertionWarning("unbound_name", f"nothing in the file binds `{name}`, which the test reads")
            )
    return found
