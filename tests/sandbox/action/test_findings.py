from pathlib import Path

import pytest

from sandbox.action.findings import find_in_checkout, find_in_source

VULNERABLE = {
    "an f-string": 'db.execute(f"SELECT * FROM t WHERE a = {x}")',
    "an f-string with a name": 'q = f"SELECT * FROM t WHERE a = {x}"\n    db.execute(q)',
    "a sum": 'db.execute("SELECT * FROM t WHERE a = " + x)',
    "a longer sum": 'db.execute("SELECT * FROM t WHERE a = \'" + x + "\'")',
    "percent": 'db.execute("SELECT * FROM t WHERE a = %s" % x)',
    "percent with a tuple": 'db.execute("SELECT * FROM t WHERE a = %s AND b = %s" % (x, 1))',
    "format": 'db.execute("SELECT * FROM t WHERE a = {}".format(x))',
    "a script": 'db.executescript(f"DELETE FROM {x}")',
}
SOUND = {
    "a parameter": 'db.execute("SELECT * FROM t WHERE a = ?", (x,))',
    "a constant": 'db.execute(f"SELECT * FROM t LIMIT {LIMIT}")',
    "a sum of constants": 'db.execute("SELECT * FROM t LIMIT " + LIMIT)',
    "another method": 'log.info(f"found {x}")',
    "no statement": "db.execute()",
}


def in_function(body: str) -> str:
    return f'LIMIT = "5"\n\ndef search(db, x):\n    {body}\n'


class TestFindInSource:
    @pytest.mark.parametrize("body", VULNERABLE.values(), ids=VULNERABLE.keys())
    def test_finds_values_in_the_statement(self, body: str) -> None:
        (finding,) = find_in_source(in_function(body), "search.py")
        assert (finding.line, finding.function, finding.names) == (4, "search", ("x",))

    @pytest.mark.parametrize("body", SOUND.values(), ids=SOUND.keys())
    def test_accepts_safe_statements(self, body: str) -> None:
        assert find_in_source(in_function(body), "search.py") == []


class TestFindInCheckout:
    def test_finds_the_only_vulnerability_of_the_shop(self, checkout: Path) -> None:
        (finding,) = find_in_checkout(checkout)
        assert (finding.file, finding.function) == ("app/catalog/search.py", "search_products")

    def test_finds_the_vulnerability_on_another_line(self, checkout: Path) -> None:
        source = checkout / "app/catalog/search.py"
        (before,) = find_in_checkout(checkout)
        source.write_text("# a line more\n" + source.read_text())
        (after,) = find_in_checkout(checkout)
        assert after.line == before.line + 1
