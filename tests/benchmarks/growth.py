"""How cost grows: the same question of few tasks and of many, as a factor.

CPU of the server and of PostgreSQL together, per request, one connection, in turn. Every question
is asked of the product alone.
"""

import json
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2

from tests.benchmarks.contenders import OURS
from tests.benchmarks.cpu import tree_seconds
from tests.benchmarks.database import postmaster_pid, settle
from tests.benchmarks.load import LOOPBACK
from tests.benchmarks.servers import Server, prepare, running
from tests.servers.postgres import PostgresServer
from todo.auth.tokens import mint
from todo.models import tasks

PAGE = 20
SORTS = ("created", "updated", "title", "due_date", "priority")
LAYOUT = "{:<46}{:>10}{:>10}{:>8}"


@dataclass(frozen=True)
class Size:
    """How much there is, and how often it is asked for."""

    few: int
    many: int
    neighbours: int
    deep: int
    requests: int
    rounds: int


FULL = Size(few=100, many=100_000, neighbours=9, deep=1000, requests=60, rounds=5)
SHORT = Size(few=100, many=5_000, neighbours=2, deep=100, requests=10, rounds=2)


@dataclass(frozen=True)
class Question:
    """A target, and who asks."""

    owner: str
    target: str


@dataclass(frozen=True)
class Asker:
    """Asks the server questions, and reads what they cost."""

    server: Server
    postmaster: int | None
    secret: str

    def ask(self, question: Question) -> dict[str, Any]:
        """The answer to a question."""
        token = mint(self.secret, question.owner, hours=6)
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.server.port}/api/me/{question.target}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            document: dict[str, Any] = json.load(answer)
            return document

    def cost(self, question: Question, requests: int) -> float:
        """CPU milliseconds for one request, of ``requests`` of them."""
        before = self._seconds()
        for _ in range(requests):
            self.ask(question)
        time.sleep(0.05)
        return 1000 * (self._seconds() - before) / requests

    def usual_cost(self, question: Question, size: Size) -> float:
        """The median cost of all rounds."""
        self.cost(question, 2)  # a warm-up
        return statistics.median(self.cost(question, size.requests) for _ in range(size.rounds))

    def _seconds(self) -> float:
        database = 0.0 if self.postmaster is None else tree_seconds(self.postmaster)
        return self.server.cpu_seconds() + database


@dataclass(frozen=True)
class Comparison:
    """A question, and the one that shall cost no more; or a question of which we want the cost."""

    name: str
    base: Question
    grown: Question | None = None


def fill(dsn: str, owner: str, number: int) -> None:
    """Give ``owner`` tasks like those of `todo demo-data`, made by the database itself."""
    values = {
        "user_id": "%(owner)s",
        "id": "i",
        "revision": "i",
        "title": "'Buy milk and bread ' || scattered",
        "title_key": "'buy milk and bread ' || scattered",
        "description": "'Two litres and a loaf, before the shop closes'",
        "completed": "i %% 4 = 0",
        "completed_at": "CASE WHEN i %% 4 = 0 THEN now() - i * interval '1 minute' END",
        "created_at": "now() - i * interval '2 minutes'",
        "updated_at": "now() - i * interval '1 minute'",
        "search_key": "'buy milk and bread ' || scattered || chr(10) || 'two litres and a loaf'",
        "priority": "1 + scattered %% 3",
        "due_date": "CASE WHEN i %% 3 > 0 THEN to_char(now() + (scattered %% 400 - 200)"
        " * interval '1 day', 'YYYY-MM-DD') END",
        "tags": "CASE WHEN i %% 2 = 0 THEN '[\"work\"]'::jsonb ELSE '[]' END",
        "tags_key": "CASE WHEN i %% 2 = 0 THEN chr(10) || 'work' || chr(10) ELSE '' END",
        "position": "'f' || (100000 + i)",
        "children": "0",
        "children_done": "0",
    }
    columns = [column.name for column in tasks.columns]
    counters = {"owner": owner, "number": number, "done": number // 4}
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (id, revision, counted, open_tasks, done_tasks, top_open, top_done,"
            " trashed_tasks, created_at, updated_at) VALUES (%(owner)s, %(number)s, %(number)s,"
            " %(number)s - %(done)s, %(done)s, %(number)s - %(done)s, %(done)s, 0, now(), now())",
            counters,
        )
        cursor.execute(
            f"INSERT INTO tasks ({', '.join(columns)})"  # noqa: S608 - our own words
            f" SELECT {', '.join(values.get(name, 'NULL') for name in columns)} FROM (SELECT i,"
            " (i * 7919) %% 100003 AS scattered FROM generate_series(1, %(number)s) AS i) AS made",
            counters,
        )


def quieten(dsn: str) -> None:
    """Keep PostgreSQL from tidying up while its CPU is counted; `settle` does so before."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tasks SET (autovacuum_enabled = false)")


def comparisons(asker: Asker, size: Size) -> Iterator[Comparison]:
    """Every question about few and many tasks of one user."""
    for sort in SORTS:
        first = f"tasks?limit={PAGE}&sort={sort}"
        yield Comparison(
            f"first page by {sort}: {size.few:,} tasks, {size.many:,}",
            Question("few", first),
            Question("many", first),
        )
        skip = (size.deep - 1) * PAGE
        before = asker.ask(Question("many", f"{first}&skip={skip - PAGE}&total=false"))
        yield Comparison(
            f"cursor by {sort}: page 1, page {size.deep:,}",
            Question("many", first),
            Question("many", f"{first}&cursor={before['next_cursor']}"),
        )


def questions(size: Size) -> Iterator[Comparison]:
    """What costs more for more tasks; how much is the question."""
    of_many = f"of {size.many:,} tasks"
    for name, query in {
        "search, found often": "search=milk",
        "search, found nowhere": "search=nowhere",
        "tag": "tag=work",
        "priority": "priority=high",
        "view=today": "view=today&tz=Europe/Berlin",
        "view=overdue by due date": "view=overdue&sort=due_date",
    }.items():
        target = f"tasks?limit={PAGE}&{query}"
        yield Comparison(f"{name} {of_many}", Question("many", target))
        yield Comparison(f"{name}, total=false", Question("many", f"{target}&total=false"))
    yield Comparison(f"tags {of_many}", Question("many", "tags"))
    yield Comparison(f"stats {of_many}", Question("many", "stats?tz=Europe/Berlin"))


def measured(asker: Asker, size: Size, asked: Sequence[Comparison]) -> Iterator[str]:
    """A line for each comparison, its sides asked in turn."""
    for one in asked:
        sides: dict[Question, list[float]] = {q: [] for q in (one.base, one.grown) if q}
        requests = size.requests if one.grown else max(2, size.requests // 10)
        for question in sides:
            asker.cost(question, 2)  # a warm-up
        for _ in range(size.rounds):
            for question, costs in sides.items():
                costs.append(asker.cost(question, requests))
        base, *grown = (statistics.median(costs) for costs in sides.values())
        yield LAYOUT.format(
            one.name,
            f"{base:.2f}",
            *(f"{cost:.2f}" for cost in grown or [0.0] if grown),
            *([""] if not grown else []),
            f"{grown[0] / base:.2f}" if grown else "",
        )


def growth_table(
    postgres: PostgresServer, secret: str, size: Size, say: Callable[[str], None]
) -> str:
    """Start the product on a database of its own, and compare."""
    dsn = postgres.create_database()
    prepare(OURS, dsn, secret, 2)
    quieten(dsn)
    for owner, number in (("few", size.few), ("many", size.many)):
        fill(dsn, owner, number)
    settle(dsn)
    lines = [LAYOUT.format("growth", "ms", "ms", "factor")]
    with running(OURS, "growth", dsn, secret) as server:
        asker = Asker(server, postmaster_pid(postgres, dsn), secret)
        small = [Question("few", "tasks/50"), Question("few", f"tasks?limit={PAGE}")]
        for line in measured(asker, size, [*comparisons(asker, size), *questions(size)]):
            say(line)
            lines.append(line)
        before = [asker.usual_cost(question, size) for question in small]
        for number in range(size.neighbours):
            say(f"growth: neighbour {number + 1} with {size.many:,} tasks")
            fill(dsn, f"neighbour {number}", size.many)
        settle(dsn)
        after = [asker.usual_cost(question, size) for question in small]
    table = (1 + size.neighbours) * size.many
    for question, one, other in zip(small, before, after, strict=True):
        name = f"{question.target}: {size.many:,} in the table, {table:,}"
        lines.append(LAYOUT.format(name, f"{one:.2f}", f"{other:.2f}", f"{other / one:.2f}"))
    return "\n".join(lines)
