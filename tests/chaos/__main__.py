"""`make chaos`: SIGKILL for gunicorn and PostgreSQL at random moments, under writers that repeat.

    python -m tests.chaos                  24 kills on PostgreSQL, 12 on SQLite
    python -m tests.chaos --short          for CI: each way to kill once
    python -m tests.chaos --kills 100 --seed 7

A client listens to each user all the while, and comes back with its Last-Event-ID.

Exits with 1, and says what, when an acknowledged change was lost or doubled, when a listener missed
one, heard of one twice or in the wrong order, or has other tasks in the end than the list, or when
anything but success or 503 with Retry-After was answered.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import Outcome, run
from tests.chaos.world import World
from tests.chaos.writers import Tally
from tests.servers.postgres import PostgresServer

EVERY_WAY = {"PostgreSQL": 5, "SQLite": 2}
MOST_TEXT = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on both databases, print what happened, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the servers.")
    parser.add_argument("--kills", type=int, default=24, help="on PostgreSQL; half on SQLite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--short", action="store_true", help="for CI: each way to kill once")
    options = parser.parse_args(arguments)
    _say(f"chaos: seed {options.seed}")
    failed = False
    with tempfile.TemporaryDirectory() as folder, PostgresServer.start(durable=True) as postgres:
        databases = [
            ("PostgreSQL", postgres.create_database(), postgres, options.kills),
            ("SQLite", f"sqlite:///{folder}/todo.db", None, options.kills // 2),
        ]
        for name, url, server, kills in databases:
            number = EVERY_WAY[name] if options.short else kills
            with World(Path(folder), url, server) as world:
                outcome = run(world, number, random.Random(f"{options.seed} {name}"))
            failed |= bool(outcome.violations)
            _print(name, outcome)
    return 1 if failed else 0


def _print(name: str, outcome: Outcome) -> None:
    kills = ", ".join(f"{number} x {way}" for way, number in outcome.kills.items())
    _say(f"{name}: {outcome.kills.total()} kills ({kills})")
    _print_tally("under kills", outcome.under_kills)
    _print_tally("afterwards", outcome.afterwards)
    _print_listeners(outcome)
    for violation in outcome.violations:
        _say(f"  VIOLATION {violation[:MOST_TEXT]}")
    _say(f"  {'FAILED' if outcome.violations else 'nothing lost, nothing doubled, nothing missed'}")


def _print_tally(when: str, tally: Tally) -> None:
    again = tally.seen.total() - tally.acknowledged
    replayed = sum(number for what, number in tally.seen.items() if what.endswith("replayed"))
    _say(
        f"  {when}: {tally.acknowledged} requests acknowledged,"
        f" {replayed} of them replayed; {again} tries that had to be repeated"
    )
    for what, number in sorted(tally.seen.items()):
        _say(f"  {number:7} x {what}")


def _print_listeners(outcome: Outcome) -> None:
    listeners = outcome.listeners
    _say(
        f"  {len(listeners)} listeners: {sum(len(each.revisions) for each in listeners)} changes"
        f" in {sum(each.streams for each in listeners)} streams"
    )
    for what, number in sorted(outcome.without_stream.seen.items()):
        _say(f"  {number:7} x {what}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
