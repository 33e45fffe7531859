"""`make chaos`: SIGKILL for gunicorn and PostgreSQL at random moments, under writers that repeat.

    python -m tests.chaos                  24 kills on PostgreSQL, 12 on SQLite
    python -m tests.chaos --short          for CI: each way to kill once
    python -m tests.chaos --kills 100 --seed 7

Exits with 1, and says what, when an acknowledged change was lost or doubled, or when anything but
success or 503 with Retry-After was answered.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tests.chaos import verdict
from tests.chaos.world import World
from tests.chaos.writers import Alone, Insisting, Sharing, Tally, Writer, keep_writing
from tests.fuzz.ledger import UNBALANCED
from tests.servers.postgres import PostgresServer

WRITERS_ALONE, WRITERS_SHARING = 4, 4
QUIET_SECONDS = (0.2, 1.5)
"""How long everything works before the next kill."""
ANSWERS_BETWEEN = 20
RECOVERY_SECONDS = 90
EVERY_WAY = 4
MOST_TEXT = 2000


@dataclass
class Outcome:
    """What one database went through."""

    kills: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    writes: int = 0
    violations: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on both databases, print what happened, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the servers.")
    parser.add_argument("--kills", type=int, default=24, help="on PostgreSQL; half on SQLite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--short", action="store_true", help="for CI: each way to kill once")
    options = parser.parse_args(arguments)
    kills = EVERY_WAY if options.short else options.kills
    _say(f"chaos: seed {options.seed}")
    failed = False
    with tempfile.TemporaryDirectory() as folder, PostgresServer.start(durable=True) as postgres:
        databases = [
            ("PostgreSQL", postgres.create_database(), postgres, kills),
            ("SQLite", f"sqlite:///{folder}/todo.db", None, kills // 2),
        ]
        for name, url, server, number in databases:
            with World(Path(folder), url, server) as world:
                outcome = _run(world, number, random.Random(f"{options.seed} {name}"))
            failed |= bool(outcome.violations)
            _print(name, outcome)
    return 1 if failed else 0


def _run(world: World, kills: int, chance: random.Random) -> Outcome:
    outcome = Outcome()
    shared = Insisting(world.origin, "shared", outcome.tally)
    shared("POST", "/api/me/tasks", json={"title": "all"})
    seed = chance.randrange(10**6)
    writers: list[Writer] = [
        *(Alone(world.origin, outcome.tally, f"{seed}-{n}") for n in range(WRITERS_ALONE)),
        *(Sharing(world.origin, outcome.tally, "shared", f"{n}") for n in range(WRITERS_SHARING)),
    ]
    over = threading.Event()
    threads = [
        threading.Thread(target=keep_writing, args=(each, over.is_set, outcome.violations.append))
        for each in writers
    ]
    for thread in threads:
        thread.start()
    ways = list(world.kills)
    for number in range(kills):
        if outcome.violations:
            break
        way = ways[number % len(ways)] if number < len(ways) else chance.choice(ways)
        time.sleep(chance.uniform(*QUIET_SECONDS))
        world.kills[way](chance)
        outcome.kills[way] += 1
        _wait_for_answers(outcome)
    over.set()
    for thread in threads:
        thread.join()
    outcome.writes = sum(len(writer.done) for writer in writers)
    if not outcome.violations:
        outcome.violations += _violations(world, shared, writers)
    return outcome


def _wait_for_answers(outcome: Outcome) -> None:
    """Return when there are answers again after a kill; whoever gets none for long is wrong."""
    enough = outcome.tally.acknowledged + ANSWERS_BETWEEN
    deadline = time.monotonic() + RECOVERY_SECONDS
    while outcome.tally.acknowledged < enough and not outcome.violations:
        if time.monotonic() > deadline:
            outcome.violations.append(f"no {ANSWERS_BETWEEN} answers in {RECOVERY_SECONDS} s")
        time.sleep(0.05)


def _violations(world: World, shared: Insisting, writers: Sequence[Writer]) -> list[str]:
    found = []
    together = [done for writer in writers if isinstance(writer, Sharing) for done in writer.done]
    page = _everything(shared)
    found += verdict.violations(together, page, shared("GET", "/api/me/tags").json()["revision"])
    for writer in writers:
        if isinstance(writer, Alone):
            found += writer.violations()
    if world.postgres is not None:
        found += [f"the counters of {user} are wrong" for user in _unbalanced(world.url)]
    return found


def _everything(caller: Insisting) -> list[verdict.Task]:
    tasks: list[verdict.Task] = []
    cursor = ""
    while cursor is not None:
        page = caller("GET", f"/api/me/tasks?limit=1000{cursor and f'&cursor={cursor}'}").json()
        tasks += page["tasks"]
        cursor = page["next_cursor"]
    return tasks


def _unbalanced(url: str) -> list[str]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(UNBALANCED)
        return [row[0] for row in cursor.fetchall()]


def _print(name: str, outcome: Outcome) -> None:
    kills = ", ".join(f"{number} x {way}" for way, number in outcome.kills.items())
    _say(f"{name}: {outcome.kills.total()} kills ({kills}); {outcome.writes} changes made")
    for what, number in sorted(outcome.tally.seen.items()):
        _say(f"  {number:7} x {what}")
    for violation in outcome.violations:
        _say(f"  VIOLATION {violation[:MOST_TEXT]}")
    _say(f"  {'FAILED' if outcome.violations else 'nothing lost, nothing doubled'}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
