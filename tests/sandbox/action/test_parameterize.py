from pathlib import Path

import pytest

from sandbox.action.findings import find_in_checkout, find_in_source
from sandbox.action.parameterize import UnsupportedFix, parameterize


def fix(body: str) -> str:
    source = f"def search(db, x, y):\n    {body}\n"
    (finding,) = find_in_source(source, "search.py")
    return parameterize(source, finding).splitlines()[-1].strip()


class TestParameterize:
    def test_leaves_nothing_to_find_in_the_shop(self, checkout: Path) -> None:
        (finding,) = find_in_checkout(checkout)
        source = checkout / finding.file
        source.write_text(parameterize(source.read_text(), finding))
        assert find_in_checkout(checkout) == []

    def test_keeps_what_stands_around_a_quoted_field(self) -> None:
        fixed = fix("""db.execute(f"SELECT 1 FROM t WHERE a LIKE '%{x}%'")""")
        assert fixed == 'db.execute("SELECT 1 FROM t WHERE a LIKE ?", (f"%{x}%",))'

    def test_keeps_the_order_of_several_fields(self) -> None:
        fixed = fix("""db.execute(f"SELECT 'é' FROM t WHERE a = '{y}' AND b = {x}")""")
        assert fixed == """db.execute("SELECT 'é' FROM t WHERE a = ? AND b = ?", (y, x,))"""

    @pytest.mark.parametrize(
        "body",
        [
            'db.execute("SELECT 1 FROM t WHERE a = " + x)',
            'db.execute(f"SELECT 1 FROM t WHERE a = {x} AND b = ?", (y,))',
            """db.execute(f"SELECT 1 FROM t WHERE a = 'it''s {x!r}'")""",
        ],
    )
    def test_rejects_what_it_does_not_know(self, body: str) -> None:
        with pytest.raises(UnsupportedFix):
            fix(body)
