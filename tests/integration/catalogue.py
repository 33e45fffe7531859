"""Everything that a database knows about our tables, so that two databases can be compared.

Alembic's autogenerate sees neither check constraints, nor the predicate of a partial index, nor
a collation; the databases' own catalogues have them all.
"""

import re

from tests.integration.tables import rows
from todo.models import Base

OURS = tuple(Base.metadata.tables)

# PostgreSQL 18 names every NOT NULL, too (contype n); whether it is there is said of the column.
_POSTGRESQL = """
SELECT 'column ' || a.attname AS name, concat_ws(' ',
    format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    'COLLATE ' || l.collname, pg_get_expr(d.adbin, d.adrelid), a.attidentity) AS definition
  FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = CAST(:name AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) AND contype <> 'n'
UNION ALL
SELECT 'index ' || indexname, indexdef
  FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :name
UNION ALL
SELECT 'trigger ' || tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass) AND NOT tgisinternal
"""


def definitions(url: str, *tables: str) -> dict[str, str]:
    """Return every column, constraint and index of ``tables`` (default: ours), by its name."""
    found: dict[str, str] = {}
    for table in tables or OURS:
        of_table = _of_postgresql if url.startswith("postgresql") else _of_sqlite
        found |= {f"{table}: {name}": text for name, text in of_table(url, table).items()}
    return found


def tables(url: str) -> set[str]:
    """Return the names of all tables in the database."""
    if url.startswith("postgresql"):
        listed = rows(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    else:
        listed = rows(url, "SELECT name FROM sqlite_master WHERE type = 'table'")
    return {row["name"] for row in listed}


def _of_postgresql(url: str, table: str) -> dict[str, str]:
    return {row["name"]: row["definition"] for row in rows(url, _POSTGRESQL, name=table)}


def _of_sqlite(url: str, table: str) -> dict[str, str]:
    """The parts of CREATE TABLE, whose order does not matter, and each CREATE INDEX."""
    found = {}
    for row in rows(
        url, "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :table", table=table
    ):
        sql = re.sub(r"\s+", " ", row["sql"] or "made by a key").replace('"', "")
        if row["type"] != "table":
            found[f"{row['type']} {row['name']}"] = sql
            continue
        parts = re.split(r", (?=\w+ [A-Z]|CONSTRAINT )", sql.partition("(")[2].rpartition(")")[0])
        for part in parts:
            kind = "" if part.strip().startswith("CONSTRAINT ") else "column "
            name, _, text = part.strip().removeprefix("CONSTRAINT ").partition(" ")
            found[f"{kind or 'constraint '}{name}"] = text.strip()
    return found
