"""The first page and its total cost the same for a user with 100,000 tasks as for one with 100.

Cost is what the databases themselves count while they run the very statement that the API sent:
rows and blocks in PostgreSQL, steps of the virtual machine in SQLite. No clock.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event

from tests.conftest import Service, settings_for
from tests.integration.application import engine_of, running
from tests.integration.tables import never_analyse, rows, value
from todo.database.engine import maintenance_engine
from todo.tasks.trees import trashed_below

FEW, MANY = 100, 100_000
TRASHED = 5_000
PAGE = 20
ALLOWED = 1.2
DEPTH = 2
"""A B-tree over a thousand times as many rows is one or two levels deeper: a block for each."""

DEEP = (1_000, 20_000)
"""Tasks before a page that is compared with the first one; a quarter of all is 25,000."""

DEEP_IN_A_PLACE = (1_000, 20_000)
"""The same, of a third of the tasks."""

OTHER_STATE = 4
"""Tasks for each one that is completed."""

QUERIES = [
    f"?limit={PAGE}&sort={sort}&order={order}{state}"
    for sort in ("created", "updated", "title", "due_date", "priority")
    for order in ("asc", "desc")
    for state in ("", "&completed=true", "&completed=false")
]
HOME, PARENT = 1_000_000, 1
"""A list, and a task of the inbox that has subtasks; a third of the tasks is there each."""
ON_TOP = {"list": f"list={HOME}&parent=none", "inbox": "list=none&parent=none"}
PLACE = {"home": HOME, "parent": PARENT}
CONDITIONS = {
    "completed=true": "completed",
    "completed=false": "NOT completed",
    "list=none": "list_id IS NULL",
    f"list={HOME}": "list_id = :home",
    "parent=none": "parent_id IS NULL",
    f"parent={PARENT}": "parent_id = :parent",
}
"""What the parameters mean, for a count of the tasks."""
PLACES = [
    f"?limit={PAGE}&sort=position&order={order}&{place}"
    for place in (*ON_TOP.values(), f"parent={PARENT}")
    for order in ("asc", "desc")
]
NUMBERS = {
    "postgresql": "SELECT i FROM generate_series(1, :total) AS i",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :total)"
    " SELECT i FROM n",
}
WRITTEN = {
    "postgresql": {"newline": "chr(10)", "tags": "CAST('[\"work\"]' AS jsonb)"},
    "sqlite": {"newline": "char(10)", "tags": "'[\"work\"]'"},
}
MOMENT = "CAST('2026-01-01 00:00:00+00' AS timestamptz)"
FILL = """
INSERT INTO tasks (user_id, id, revision, title, title_key, description, completed, completed_at,
                   created_at, updated_at, deleted_at, search_key, priority, due_date, tags,
                   tags_key, list_id, parent_id, position)
SELECT :owner, i, i, 'Task ' || scattered, 'task ' || scattered, 'Two litres and a loaf', i % 4 = 0,
       CASE WHEN i % 4 = 0 THEN {moment} END, {moment}, {moment},
       CASE WHEN i > :live THEN {moment} END,
       'task ' || scattered || {newline} || 'two litres and a loaf', 1 + scattered % 3,
       CASE WHEN i % 2 = 0 THEN (2000 + scattered % 99) || '-12-' || (10 + scattered % 20) END,
       {tags}, {newline} || 'work' || {newline},
       CASE WHEN i / 4 % 3 = 1 THEN :home END, CASE WHEN i / 4 % 3 = 2 THEN :parent END,
       'f' || scattered
  FROM (SELECT i, 100000 + (i * 7919) % 100003 AS scattered FROM ({numbers}) AS numbers) AS tasks
"""
COUNT = """
UPDATE users SET counted = revision,
       top_open = (SELECT count(*) FROM tasks WHERE {top} AND NOT completed),
       top_done = (SELECT count(*) FROM tasks WHERE {top} AND completed) WHERE id = :owner;
INSERT INTO lists (user_id, id, revision, name, position, created_at, updated_at, open_tasks,
                   done_tasks, top_open, top_done)
SELECT :owner, :home, :home, 'Home', 'e10000', created_at, updated_at,
       counts.pending, counts.done, counts.pending, counts.done FROM users,
       (SELECT sum(CASE WHEN completed THEN 0 ELSE 1 END) AS pending,
               sum(CASE WHEN completed THEN 1 ELSE 0 END) AS done
          FROM tasks WHERE {live} AND list_id = :home) AS counts WHERE id = :owner;
UPDATE tasks SET
       children = (SELECT count(*) FROM tasks WHERE {live} AND parent_id = :parent),
       children_done = (SELECT count(*) FROM tasks WHERE {live} AND parent_id = :parent
                           AND completed) WHERE user_id = :owner AND id = :parent
"""
USER_COLUMNS = "id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at"


def fill(url: str, dialect: str, owner: str, live: int, trashed: int) -> None:
    """Give ``owner`` that many tasks; a quarter is done, the newest are in the trash."""
    moment = MOMENT if dialect == "postgresql" else "'2026-01-01 00:00:00.000000'"
    counters = ":owner, :total, :open, :done, :trashed"
    rows(
        url,
        f"INSERT INTO users ({USER_COLUMNS}) VALUES ({counters}, {moment}, {moment})",  # noqa: S608
        owner=owner,
        total=live + trashed,
        open=live - live // 4,
        done=live // 4,
        trashed=trashed,
    )
    statement = FILL.format(moment=moment, numbers=NUMBERS[dialect], **WRITTEN[dialect])
    rows(url, statement, owner=owner, live=live, total=live + trashed, **PLACE)
    is_live = "user_id = :owner AND deleted_at IS NULL"
    for count in COUNT.format(live=is_live, top=f"{is_live} AND parent_id IS NULL").split(";"):
        rows(url, count, owner=owner, **PLACE)


@dataclass
class Grown:
    """An application whose database has a user with few tasks and one with many."""

    service: Service
    url: str
    sent: list[tuple[str, Any]] = field(default_factory=list)

    def next_of(self, query: str, skip: int) -> str:
        """The query of the page that follows, by its cursor, the one after ``skip`` tasks."""
        page = self.service.caller("many")("GET", f"{query}&skip={skip}").json()
        return f"{query}&cursor={page['next_cursor']}"

    def total_of(self, owner: str, query: str) -> int:
        """How many tasks the list has, counted."""
        where = "user_id = :owner AND deleted_at IS NULL"
        for part, condition in CONDITIONS.items():
            where += f" AND {condition}" if f"&{part}" in query else ""
        of_place = {name: n for name, n in PLACE.items() if f":{name}" in where}
        count = f"SELECT count(*) FROM tasks WHERE {where}"  # noqa: S608 - the conditions are below
        return int(value(self.url, count, owner=owner, **of_place))

    def statement_of(self, owner: str, query: str) -> tuple[str, Any]:
        """Ask for a page; the one statement, with its parameters, that gave it and its total."""
        self.sent.clear()
        page = self.service.caller(owner)("GET", query).json()
        assert (len(page["tasks"]), page["total"]) == (PAGE, self.total_of(owner, query))
        [statement] = self.sent
        return statement


def index_of(query: str) -> str:
    """The index that the page of a query comes from."""
    if "sort=position" in query:
        return "ix_tasks_top" if "parent=none" in query else "ix_tasks_child"
    sort = query.partition("sort=")[2].partition("&")[0]
    return f"ix_tasks_{'state' if 'completed' in query else 'live'}_{sort}"


@contextmanager
def grown(url: str, dialect: str) -> Iterator[Grown]:
    fill(url, dialect, "few", FEW, trashed=0)
    fill(url, dialect, "many", MANY, trashed=TRASHED)
    with running(settings_for(url)) as service:
        database = Grown(service, url)

        @event.listens_for(engine_of(service), "before_cursor_execute")
        def note(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
            database.sent.append((statement, parameters))

        yield database


@pytest.fixture(scope="module")
def postgresql(new_database: Callable[[str], str]) -> Iterator[Grown]:
    with grown(new_database("postgresql"), "postgresql") as database:
        rows(database.url, "VACUUM ANALYZE")
        yield database


@pytest.fixture(scope="module")
def without_statistics(new_database: Callable[[str], str]) -> Iterator[Grown]:
    """PostgreSQL has never looked at the tables."""
    url = new_database("postgresql")
    never_analyse(url)
    with grown(url, "postgresql") as database:
        yield database


@pytest.fixture(scope="module")
def sqlite(new_database: Callable[[str], str]) -> Iterator[Grown]:
    with grown(new_database("sqlite"), "sqlite") as database:
        yield database


@dataclass(frozen=True)
class Work:
    """What PostgreSQL did for one statement."""

    rows: float
    blocks: int
    scans: list[tuple[str, str | None]]


def work_of(database: Grown, owner: str, query: str) -> Work:
    statement, parameters = database.statement_of(owner, query)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    with maintenance_engine(database.url).connect() as connection:
        plan = connection.exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"]
    nodes = list(nodes_of(plan))
    return Work(
        rows=sum(rows_of(node) for node in nodes),
        blocks=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        scans=[
            (node["Node Type"], node.get("Index Name"))
            for node in nodes
            if node.get("Relation Name") == "tasks"
        ],
    )


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def rows_of(node: dict[str, Any]) -> float:
    """Rows that a node gave on, and those that it read in vain."""
    read = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(node.get(name, 0) for name in read) * node["Actual Loops"]


@pytest.mark.parametrize("query", QUERIES)
def test_postgresql_reads_as_many_rows_and_blocks_for_a_thousand_times_the_tasks(postgresql, query):
    few, many = (work_of(postgresql, owner, query) for owner in ("few", "many"))

    assert many.rows <= ALLOWED * few.rows
    # Title order is scattered over the table: each row may lie in a block of its own, while
    # a hundred tasks share three.
    scattered = PAGE if "sort=title" in query else 0
    assert many.blocks <= ALLOWED * few.blocks + DEPTH + scattered
    assert {index for _, index in many.scans} == {index_of(query)}


@pytest.mark.parametrize("query", QUERIES)
def test_postgresql_reads_as_much_for_a_page_that_lies_deep_as_for_the_first(postgresql, query):
    first = work_of(postgresql, "many", query)
    for skip in DEEP:
        deep = work_of(postgresql, "many", postgresql.next_of(query, skip))

        # Tasks of equal priority lie in the order of their ids, so PostgreSQL may expect to find
        # those of one state sooner without it, and reads those of the other in between.
        if {index for _, index in deep.scans} == {"ix_tasks_live_priority"}:
            assert deep.rows <= first.rows + OTHER_STATE * PAGE
        else:
            assert {index for _, index in deep.scans} == {index_of(query)}
            assert deep.rows <= ALLOWED * first.rows + 1
        assert deep.blocks <= ALLOWED * first.blocks + DEPTH + PAGE


@pytest.mark.parametrize("analysed", [True, False])
@pytest.mark.parametrize("query", PLACES)
def test_postgresql_reads_as_much_of_a_place_by_position_for_a_thousand_times_the_tasks(
    request, query, analysed
):
    database = request.getfixturevalue("postgresql" if analysed else "without_statistics")
    few, many = (work_of(database, owner, query) for owner in ("few", "many"))

    assert many.rows <= ALLOWED * few.rows
    # The order by hand is scattered over the table, too.
    assert many.blocks <= ALLOWED * few.blocks + DEPTH + PAGE
    assert {index for _, index in many.scans} <= {index_of(query), "pk_tasks"}
    for skip in DEEP_IN_A_PLACE:
        deep = work_of(database, "many", database.next_of(query, skip))
        assert deep.rows <= ALLOWED * few.rows + 1
        assert deep.blocks <= ALLOWED * few.blocks + DEPTH + PAGE


@pytest.mark.parametrize("query", PLACES)
def test_sqlite_takes_as_many_steps_of_a_place_by_position_for_a_thousand_times_the_tasks(
    sqlite, query
):
    few, many = (steps_of(sqlite, owner, query) for owner in ("few", "many"))

    assert many <= ALLOWED * few
    for skip in DEEP_IN_A_PLACE:
        assert steps_of(sqlite, "many", sqlite.next_of(query, skip)) <= ALLOWED * few


@pytest.mark.parametrize("query", QUERIES)
def test_sqlite_takes_as_many_steps_for_a_thousand_times_the_tasks(sqlite, query):
    few, many = (steps_of(sqlite, owner, query) for owner in ("few", "many"))

    assert many <= ALLOWED * few


@pytest.mark.parametrize("query", QUERIES)
def test_sqlite_takes_as_many_steps_for_a_page_that_lies_deep_as_for_the_first(sqlite, query):
    first = steps_of(sqlite, "many", query)
    for skip in DEEP:
        assert steps_of(sqlite, "many", sqlite.next_of(query, skip)) <= ALLOWED * first


@pytest.mark.parametrize("query", QUERIES)
def test_sqlite_takes_the_page_from_a_live_index_in_its_order(sqlite, query):
    statement, parameters = sqlite.statement_of("many", query)
    with maintenance_engine(sqlite.url).connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()

    searches = [step for step in plan if step.detail.startswith("SEARCH tasks")]
    where = "user_id=? AND completed=?" if "completed" in query else "user_id=?"
    behind = {f"SEARCH tasks USING INDEX {index_of(query)} ({where}"}
    assert {
        step.detail.partition(" AND due_date")[0].removesuffix(")") for step in searches
    } == behind
    for search in searches:  # nothing is sorted beside it
        assert [step.detail for step in plan if step.parent == search.parent] == [search.detail]


def test_sqlite_looks_up_what_the_trash_has_below_each_task_that_is_deleted_for_good(sqlite):
    with maintenance_engine(sqlite.url).connect() as connection:
        compiled = trashed_below("sqlite").compile(dialect=connection.dialect)
        values = compiled.construct_params({"of_user": "many", "parent": 1})
        parameters = tuple(values[name] for name in compiled.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", parameters).all()

    searches = [step.detail for step in plan if step.detail.startswith("SEARCH tasks")]
    assert len(searches) == 2
    assert all("user_id=? AND parent_id=?" in search for search in searches), searches


def steps_of(database: Grown, owner: str, query: str) -> int:
    """How many steps SQLite takes for a page."""
    steps = steps_of_statement(database.url, *database.statement_of(owner, query))
    assert steps > PAGE
    return steps


def steps_of_statement(url: str, statement: str, parameters: Any) -> int:
    """Instructions of SQLite's virtual machine: it calls back after each."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with maintenance_engine(url).connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.set_progress_handler(count, 1)
        raw.execute(statement, parameters).fetchall()
        raw.set_progress_handler(None, 1)
    return steps
