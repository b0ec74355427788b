"""A minimal PDF writer: text in Helvetica on A4 pages, nothing else."""

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, MARGIN = 595, 842, 56
# Widths in Helvetica, in thousandths of the font size. A digit has 556.
_NARROW = {" ": 278, ".": 278, ",": 278, "-": 333}


@dataclass(frozen=True)
class Text:
    """Text at a position, in points from the lower left corner; with `right` it ends there."""

    x: int
    y: int
    words: str
    size: int = 10
    bold: bool = False
    right: bool = False

    def drawn(self) -> bytes:
        x = self.x - _width(self.words, self.size) if self.right else self.x
        words = self.words.encode("cp1252", "replace")
        for special in (b"\\", b"(", b")"):
            words = words.replace(special, b"\\" + special)
        font = b"/B" if self.bold else b"/R"
        return font + b" %d Tf 1 0 0 1 %.1f %d Tm (" % (self.size, x, self.y) + words + b") Tj\n"


def _width(words: str, size: int) -> float:
    """Return the width of digits and signs, which have equal widths in Helvetica."""
    return sum(_NARROW.get(letter, 556) for letter in words) * size / 1000


def document(pages: list[list[Text]]) -> bytes:
    """Return the file: catalog, pages, two fonts, and a content stream per page."""
    # Objects 1 to 4 are fixed; each page is followed by its content.
    numbers = [5 + 2 * index for index in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        (font % "Helvetica").encode(),
        (font % "Helvetica-Bold").encode(),
    ]
    for number, texts in zip(numbers, pages, strict=True):
        content = b"BT\n" + b"".join(text.drawn() for text in texts) + b"ET"
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {number + 1} 0 R "
            "/Resources << /Font << /R 3 0 R /B 4 0 R >> >> >>"
        )
        objects += [page.encode(), b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)]
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    found = b"%PDF-1.4\n"
    places: list[int] = []
    for number, body in enumerate(objects, start=1):
        places.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    # An entry must have exactly 20 bytes, hence the space before the line end.
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        found
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(found))
    )


LINES_A_PAGE = 22


def invoice_document(invoice: dict[str, Any]) -> bytes:
    """Render an invoice (`descriptions.invoice`) on as many pages as its lines need."""
    lines = invoice["lines"]
    parts = [lines[at : at + LINES_A_PAGE] for at in range(0, len(lines), LINES_A_PAGE)] or [[]]
    pages: list[list[Text]] = []
    right = WIDTH - MARGIN
    for part in parts:
        page = [
            Text(MARGIN, 770, "Invoice" if not pages else "Invoice, continued", 20, bold=True),
            Text(MARGIN, 742, f"{invoice['number']}   {invoice['date']}   {invoice['status_text']}"),
            Text(MARGIN, 716, "Sandbox, test mode"),
            Text(MARGIN, 700, f"To {invoice['name'] or ''} {invoice['email'] or ''}".strip()),
        ]
        y = 660
        for line in part:
            page += [Text(MARGIN, y, line["text"]), Text(right, y, line["amount"], right=True)]
            page.append(Text(MARGIN, y - 11, line["period"], 8))
            y -= 26
        pages.append(page)
    sums = [("Total", invoice["total"]), ("From your balance", invoice["balance"]), ("Due", invoice["due"])]
    for label, amount in sums:
        if amount:
            pages[-1] += [
                Text(360, y, label, bold=True),
                Text(right, y, amount, bold=True, right=True),
            ]
            y -= 16
    return document(pages)
