"""The database itself refuses to change the ledger.

Installed after every migrate, so that a database made without migrations (tests, the demo) has it too.
PostgreSQL refuses updates and deletions; SQLite refuses updates only, since emptying a table between
tests deletes its rows there.
"""

from typing import Any

from django.db import connections

TABLE = "billing_usagerecord"
MESSAGE = "the usage ledger is append-only"

POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION rsolv_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE OR REPLACE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION rsolv_refuse_change();
"""
SQLITE = f"""
CREATE TRIGGER IF NOT EXISTS {TABLE}_append_only BEFORE UPDATE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
"""


def guard_ledger(using: str = "default", **_: Any) -> None:
    """Install the guard. Repeating it changes nothing; before the ledger's table exists it does nothing."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)
