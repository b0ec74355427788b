"""An invoice as a PDF file."""

from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

MARGIN = 56
RIGHT = A4[0] - MARGIN
LINES_A_PAGE = 22


def invoice_document(invoice: dict[str, Any]) -> bytes:
    """Render an invoice (`descriptions.invoice`) on as many pages as its lines need."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, pageCompression=0)
    canvas.setTitle(f"Invoice {invoice['number']}")
    lines = invoice["lines"]
    y = _draw_head(canvas, invoice, "Invoice")
    for number, line in enumerate(lines):
        if number and number % LINES_A_PAGE == 0:
            canvas.showPage()
            y = _draw_head(canvas, invoice, "Invoice, continued")
        _draw(canvas, y, line["text"], right=line["amount"])
        _draw(canvas, y - 11, line["period"], size=8)
        y -= 26
    for label, amount in (
        ("Total", invoice["total"]),
        ("From your balance", invoice["balance"]),
        ("Due", invoice["due"]),
    ):
        if amount:
            _draw(canvas, y, label, x=360, right=amount, font="Helvetica-Bold")
            y -= 16
    canvas.save()
    return file.getvalue()


def _draw_head(canvas: Canvas, invoice: dict[str, Any], title: str) -> int:
    """Draw the head of a page; return the height of its first line in points."""
    _draw(canvas, 770, title, size=20, font="Helvetica-Bold")
    _draw(canvas, 742, f"{invoice['number']}   {invoice['date']}   {invoice['status_text']}")
    _draw(canvas, 716, "Sandbox, test mode")
    _draw(canvas, 700, f"To {invoice['name'] or ''} {invoice['email'] or ''}".strip())
    return 660


def _draw(
    canvas: Canvas,
    y: int,
    left: str,
    *,
    x: int = MARGIN,
    right: str = "",
    size: int = 10,
    font: str = "Helvetica",
) -> None:
    canvas.setFont(font, size)
    canvas.drawString(x, y, left)
    canvas.drawRightString(RIGHT, y, right)
