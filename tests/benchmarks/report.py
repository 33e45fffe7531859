"""The result of a comparison: its tables for a reader, and JSON for who wants to plot it."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.comparison import Result, footprint_table
from tests.benchmarks.contenders import Contender
from tests.benchmarks.summary import Cell
from tests.benchmarks.tables import cpu_table, database_table, marked, speed_table

# Whose versions explain a change of the numbers.
DISTRIBUTIONS = (
    *("connexion", "flask", "flask-sqlalchemy", "gunicorn", "starlette", "sqlalchemy"),
    *("fastapi", "sqlmodel", "uvicorn", "uvloop", "httptools", "pydantic", "psycopg2-binary"),
    *("pyjwt", "orjson", "asyncpg"),
)
LEGEND = (
    "CPU of all processes of a server, while 16 connections saturate it. A ratio is a contender's\n"
    "CPU by that of {first}: above 1, {first} is cheaper. Medians, with the range of the rounds.\n"
    "No time is a verdict: cores are shared with the load and PostgreSQL."
)


def tables(cells: Sequence[Cell], result: Result, contenders: Mapping[str, Contender]) -> str:
    """All tables, with what their marks mean."""
    marks, meanings = marked(cells, contenders)
    parts = [
        cpu_table(cells, marks),
        meanings,
        LEGEND.format(first=next(iter(contenders))),
        database_table(cells),
        speed_table(cells, "saturated, ms", lambda one: one.saturated),
        speed_table(cells, "half load, ms", lambda one: one.half_load),
        footprint_table(result.footprints),
    ]
    return "\n\n".join(part for part in parts if part)


def versions() -> dict[str, str]:
    """What ran, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_json(path: Path, cells: Sequence[Cell], result: Result) -> None:
    """Everything, down to the single samples."""
    document = {
        "cores": os.cpu_count(),
        "versions": versions(),
        "operations": [asdict(one) for one in cells],
        "footprints": [asdict(one) for one in result.footprints],
        "samples": [asdict(one) for one in result.taken],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
