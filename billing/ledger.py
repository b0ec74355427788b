"""Database triggers that keep the usage ledger append-only.

They are installed after every `migrate`, so that databases created without migrations (tests, the demo) have
them too. On PostgreSQL they reject updates and deletions. On SQLite they reject updates only, because
emptying a table between tests deletes its rows.
"""

from typing import Any

from django.db import connections

TABLES = ("billing_usagerecord", "billing_usagecorrection")
MESSAGE = "the usage ledger is append-only"

POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION rsolv_reject_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE OR REPLACE TRIGGER %(table)s_append_only BEFORE UPDATE OR DELETE ON %(table)s
    FOR EACH ROW EXECUTE FUNCTION rsolv_reject_change();
"""
SQLITE = f"""
CREATE TRIGGER IF NOT EXISTS %(table)s_append_only BEFORE UPDATE ON %(table)s
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
"""


def install_ledger_triggers(using: str = "default", **_: Any) -> None:
    """Install the triggers on the ledger's tables that exist. Safe to repeat."""
    connection = connections[using]
    statement = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    existing = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in TABLES:
            # Django sends post_migrate after `migrate billing zero` as well, which drops the tables.
            if table in existing:
                cursor.execute(statement % {"table": table})
