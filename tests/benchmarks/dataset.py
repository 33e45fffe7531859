"""What both databases hold before the first request: the same users with the same tasks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg2
from psycopg2.extras import execute_values

from tests.benchmarks.stacks.tables import COLUMNS
from todo.column_types import PRIORITIES
from todo.values.positions import last
from todo.values.text_keys import search_key, tags_key, title_key

TASKS_PER_USER = 100
DONE_EVERY = 4  # each fourth task is completed
DONE_PER_USER = TASKS_PER_USER // DONE_EVERY
ROWS_PER_STATEMENT = 1000
FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class SeedTask(NamedTuple):
    """A task before it takes the shape of either schema; `number` is 1 to TASKS_PER_USER."""

    number: int
    title: str
    description: str
    completed: bool
    priority: str
    due_date: str | None
    tags: list[str]
    created_at: datetime


def user_name(user: int) -> str:
    """The id of the user with this index: opaque text of the length that Better Auth makes."""
    return f"benchmark-user-{user:017d}"


def tasks_of(user: int) -> Iterator[SeedTask]:
    """The user's tasks, oldest first; the same at every call."""
    for number in range(1, TASKS_PER_USER + 1):
        yield SeedTask(
            number=number,
            title=f"Task {number} of user {user}: buy milk and bread",
            description=f"Two litres and a loaf, before the shop closes at {number % 24:02d}:00",
            completed=number % DONE_EVERY == 0,
            priority=PRIORITIES[number % 3],
            due_date=f"2026-12-{1 + number % 31:02}" if number % 2 else None,
            tags=["errands", "home"][: number % 3],
            created_at=FIRST_MOMENT + timedelta(minutes=number),
        )


def fill_ours(dsn: str, users: int) -> None:
    """Fill the product's tables, as `specs/database/schema.md` describes them.

    The only place in this package that knows our schema. `todo migrate` has run. A task's id and
    revision are its number, so each user's counter stands at TASKS_PER_USER.
    """
    open_tasks = TASKS_PER_USER - DONE_PER_USER
    counters = (TASKS_PER_USER, open_tasks, DONE_PER_USER, 0)
    on_top = (open_tasks, DONE_PER_USER, TASKS_PER_USER)
    user_rows = (
        (user_name(user), *counters, FIRST_MOMENT, FIRST_MOMENT, *on_top) for user in range(users)
    )
    task_rows = (
        (
            *(user_name(user), task.number, task.number),
            *(task.title, title_key(task.title), task.description, task.completed),
            *(task.created_at if task.completed else None, task.created_at, task.created_at),
            *(search_key(task.title, task.description), 1 + PRIORITIES.index(task.priority)),
            *(task.due_date, json.dumps(task.tags), tags_key(task.tags)),
            last(task.number),
        )
        for user in range(users)
        for task in tasks_of(user)
    )
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks,"
            " created_at, updated_at, top_open, top_done, counted) VALUES %s",
            user_rows,
            page_size=ROWS_PER_STATEMENT,
        )
        execute_values(
            cursor,
            "INSERT INTO tasks (user_id, id, revision, title, title_key, description, completed,"
            " completed_at, created_at, updated_at, search_key, priority, due_date, tags, tags_key,"
            " position)"
            " VALUES %s",
            task_rows,
            page_size=ROWS_PER_STATEMENT,
        )
    connection.close()


def our_task_id(user: int, number: int) -> int:
    """Ours counts each user's tasks from 1."""
    del user
    return number


def fill_seed(dsn: str, users: int) -> None:
    """Fill the seed's tables, and set its sequence to go on after the last id."""
    user_rows = ((user_name(user),) for user in range(users))
    task_rows = (
        (
            *(common_task_id(user, task.number), user_name(user)),
            *(task.title, task.description, task.completed, task.priority, task.due_date),
            json.dumps(task.tags),
            *(task.created_at, task.created_at),
        )
        for user in range(users)
        for task in tasks_of(user)
    )
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO users (id) VALUES %s",
            user_rows,
            page_size=ROWS_PER_STATEMENT,
        )
        execute_values(
            cursor,
            "INSERT INTO task (id, user_id, title, description, completed, priority, due_date,"
            " tags, created_at, updated_at) VALUES %s",
            task_rows,
            page_size=ROWS_PER_STATEMENT,
        )
        cursor.execute("SELECT setval('task_id_seq', (SELECT max(id) FROM task))")
    connection.close()


def fill_flat(dsn: str, users: int) -> None:
    """Fill the one table of the expert's peer and of the floor."""
    task_rows = (
        (
            *(common_task_id(user, task.number), user_name(user)),
            *(task.title, task.description, task.completed, task.priority, task.due_date),
            *(task.tags, task.created_at, task.created_at),
        )
        for user in range(users)
        for task in tasks_of(user)
    )
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            f"INSERT INTO task ({', '.join(COLUMNS)}) VALUES %s",  # noqa: S608 - our own words
            task_rows,
            template=f"({', '.join(['%s'] * 7)}, %s::text[], %s, %s)",
            page_size=ROWS_PER_STATEMENT,
        )
        cursor.execute("SELECT setval('task_id_seq', (SELECT max(id) FROM task))")
    connection.close()


def common_task_id(user: int, number: int) -> int:
    """The others have one sequence for all users."""
    return user * TASKS_PER_USER + number
