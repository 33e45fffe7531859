"""`python -m tests.benchmarks`: start everything, measure in turn, print the tables."""

import argparse
import secrets
import sys
from collections.abc import Sequence

from tests.benchmarks import growth
from tests.benchmarks.answers import LoadError
from tests.benchmarks.asking import UnexpectedAnswer
from tests.benchmarks.comparison import compare
from tests.benchmarks.contenders import ALL, SEED
from tests.benchmarks.distance import Distant, distance_table, measure_distance
from tests.benchmarks.options import options
from tests.benchmarks.report import tables, write_json
from tests.benchmarks.servers import PrepareError
from tests.benchmarks.soak import soak
from tests.benchmarks.summary import Cell, summarise
from tests.benchmarks.tables import marked
from tests.benchmarks.tokens import token_table
from tests.servers.postgres import PostgresServer, StartFailed, Unavailable

UNMEASURABLE = (LoadError, PrepareError, UnexpectedAnswer, StartFailed, Unavailable)


def say(line: str) -> None:
    """Progress, kept out of the result."""
    sys.stderr.write(line + "\n")


def show(text: str) -> None:
    """A part of the result."""
    sys.stdout.write(f"{text}\n\n")


def complain(cells: Sequence[Cell | Distant]) -> bool:
    """Show the first unexpected answer of each cell; whether there was any."""
    wrong = [one for one in cells if one.errors]
    for one in wrong:
        say(f"\n{one.errors} errors in {one.operation} of {one.label}:\n{one.unexpected}")
    return bool(wrong)


def comparison(asked: argparse.Namespace) -> int:
    """All contenders in turn, or with --noise the seed against itself."""
    contenders = {"seed a": SEED, "seed b": SEED} if asked.noise else {one.name: one for one in ALL}
    result = compare(contenders, asked.size, asked.operations, say)
    cells = summarise(result.taken, list(contenders))
    show(tables(cells, result, contenders))
    if asked.json:
        write_json(asked.json, cells, result)
    if asked.picture:
        from tests.benchmarks.picture import draw  # noqa: PLC0415 - matplotlib is slow to import

        draw(asked.picture, cells, marked(cells, contenders)[0])
    show(token_table(asked.requests))
    if not asked.noise and not asked.only:
        show(growth_table(asked))
    return 1 if complain(cells) else 0


def distance(asked: argparse.Namespace) -> int:
    """All contenders, far from their databases."""
    found = measure_distance(ALL, asked.size, asked.operations, say)
    show(distance_table(found, asked.operations))
    return 1 if complain(found) else 0


def growth_table(asked: argparse.Namespace) -> str:
    """What the same questions cost of few tasks and of many."""
    size = growth.SHORT if asked.short else growth.FULL
    with PostgresServer.start() as postgres:
        return growth.growth_table(postgres, secrets.token_urlsafe(48), size, say)


def main(given: Sequence[str] | None = None) -> int:
    """0 when every request got its status, 1 when not, 2 when there was nothing to measure.

    No time decides: on a shared machine it is evidence to read, never a test to pass. `--soak`
    is 1 also when memory grows.
    """
    asked = options(given)
    try:
        if asked.soak:
            return soak(asked.size, asked.operations, show, say)
        if asked.distance:
            return distance(asked)
        return comparison(asked)
    except UNMEASURABLE as error:
        say(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main())
