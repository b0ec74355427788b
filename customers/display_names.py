"""Make names chosen by users safe to show in mails to other people. Pure."""

import re
import unicodedata

# What mail programs turn into links by themselves: schemes, at signs, and dots before a top-level domain
# (also the dots that IDNA treats as one). "Acme Inc." and "J.P. Morgan" keep their dots.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}:/{1,3}|\b(?:mailto|tel|javascript|data):", re.IGNORECASE)
_DOMAIN_DOT = re.compile(r"(?<=[^\W_])[.\u3002](?=[^\W\d_]{2}|xn--)", re.IGNORECASE)
_DIGIT_DOT = re.compile(r"(?<=\d)\.(?=\d+\.\d+\.\d)")
ELLIPSIS = "…"
_BREAKS = frozenset({"Cc", "Zl", "Zp", "Zs"})
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]"
_MARKS_IN_A_ROW = re.compile(f"({_MARK}{{2}}){_MARK}+")


def clean_for_mail(name: str, *, limit: int = 60) -> str:
    """Return the name as one line that no mail program turns into a link, at most `limit` characters.

    Line breaks, control and direction characters are removed; `@`, schemes and dots of domains become spaces.
    Show the result in quotation marks. Cleaning is idempotent. The result must still be escaped for HTML.
    """
    # Before normalization: an invisible character could separate a letter from its accent.
    text = "".join(_clean_character(each) for each in name[: 8 * limit])
    # NFKC would expand the ellipsis at the end of a shortened name into three dots.
    text = ELLIPSIS.join(unicodedata.normalize("NFKC", each) for each in text.split(ELLIPSIS))
    text = _MARKS_IN_A_ROW.sub(r"\1", text)
    for pattern in (_SCHEME, _DIGIT_DOT, _DOMAIN_DOT):
        text = pattern.sub(" ", text)
    return _shorten(" ".join(text.replace("@", " ").replace('"', "'").split()), limit)


def has_link(name: str) -> bool:
    """Return whether a mail program would find an address, or a link with a scheme or `www.`, in the name."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return bool(re.search(r"[a-z][a-z0-9+.-]{0,20}://|\bwww\.\w|\S@[^\W_][\w-]*\.\w", text))


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BREAKS:
        return " "
    return "" if category in _DROPPED else character


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}{ELLIPSIS}"
