"""Stream rows as CSV. Pure."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# Spreadsheets interpret a cell that starts with one of these as a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file-like object whose write() returns its argument, for streaming."""

    def write(self, text: str) -> str:
        return text


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a CSV file, header first.

    Cells that look like formulas are escaped with a quote.
    """
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in row])
