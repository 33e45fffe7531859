"""Locks that somebody else holds."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2


@contextmanager
def holding(url: str, owner: str) -> Iterator[None]:
    """Hold the row of ``owner`` as long as the block lasts; SQLite has one lock for all writers."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", (owner,))
        yield


@contextmanager
def holding_table(url: str, table: str) -> Iterator[None]:
    """Hold all of a table of PostgreSQL, which nobody else can read meanwhile."""
    with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
