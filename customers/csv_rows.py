"""Rows as CSV, written while they are read. Pure."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet takes a cell that begins so for a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a CSV file, its columns first. No cell is run as a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in row])
