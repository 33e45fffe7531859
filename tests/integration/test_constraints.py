"""The database itself refuses rows that the rules would never write."""

import json

import pytest
import sqlalchemy as sa

from tests.integration.tables import rows

USER = {
    "id": "alice",
    "revision": 1,
    "open_tasks": 1,
    "done_tasks": 0,
    "trashed_tasks": 0,
    "created_at": "2026-01-01 00:00:00+00:00",
    "updated_at": "2026-01-01 00:00:00+00:00",
}
TASK = {
    "user_id": "alice",
    "id": 1,
    "revision": 1,
    "title": "t" * 200,
    "title_key": "k" * 200,
    "description": "d" * 1000,
    "completed": False,
    "completed_at": None,
    "created_at": "2026-01-01 00:00:00+00:00",
    "updated_at": "2026-01-01 00:00:00+00:00",
    "deleted_at": None,
    "search_key": "t d",
    "priority": 3,
    "due_date": "2026-12-31T17:00:00.000Z",
    "tags": json.dumps(["a"] * 20),
    "tags_key": "\na\n",
}
MOMENT = "2026-01-02 00:00:00+00:00"


def add(url, table, row):
    names, slots = ", ".join(row), ", ".join(f":{name}" for name in row)
    rows(url, f"INSERT INTO {table} ({names}) VALUES ({slots})", **row)  # noqa: S608 - our names


@pytest.fixture
def database_with_alice(database_url):
    add(database_url, "users", USER)
    return database_url


BAD_TASKS = {
    "title of 201 characters": ("ck_tasks_title", {"title": "t" * 201}),
    "empty title": ("ck_tasks_title", {"title": ""}),
    "title key of 201 characters": ("ck_tasks_title_key", {"title_key": "k" * 201}),
    "description of 1001 characters": ("ck_tasks_description", {"description": "d" * 1001}),
    "completion without its time": ("ck_tasks_completed_at", {"completed": True}),
    "time without completion": ("ck_tasks_completed_at", {"completed_at": MOMENT}),
    "id of zero": ("ck_tasks_revision", {"id": 0}),
    "revision below its id": ("ck_tasks_revision", {"id": 2}),
    "priority of no name": ("ck_tasks_priority", {"priority": 4}),
    "priority of null": (r'"priority"|tasks\.priority\b', {"priority": None}),
    "due date that is neither a date nor an instant": (
        "ck_tasks_due_date",
        {"due_date": "2026-12-31T17:00:00Z"},
    ),
    "21 tags": ("ck_tasks_tags", {"tags": json.dumps(["a"] * 21)}),
    "tags that are no array": ("ck_tasks_tags", {"tags": '{"a": 1}'}),
    "tags without their key": ("ck_tasks_tags_key", {"tags_key": ""}),
    "key of no tags": ("ck_tasks_tags_key", {"tags": "[]"}),
    "search key of null": (r'"search_key"|tasks\.search_key\b', {"search_key": None}),
    "unknown owner": ("fk_tasks_users|FOREIGN KEY", {"user_id": "bob"}),
    "title of null": (r'"title"|tasks\.title\b', {"title": None}),
    "revision of null": (r'"revision"|tasks\.revision\b', {"revision": None}),
}
BAD_USERS = {
    "negative revision": ("ck_users_revision", {"revision": -1}),
    "negative total of open tasks": ("ck_users_counts", {"open_tasks": -1}),
    "negative total of done tasks": ("ck_users_counts", {"done_tasks": -1}),
    "negative total of trashed tasks": ("ck_users_counts", {"trashed_tasks": -1}),
    "id of null": (r'"id"|users\.id\b', {"id": None}),
}


def test_database_takes_a_task_at_the_edge_of_every_rule_but_not_twice(database_with_alice):
    add(database_with_alice, "tasks", TASK)
    add(database_with_alice, "tasks", TASK | {"id": 2, "revision": 2, "description": None})
    with pytest.raises(sa.exc.IntegrityError, match=r"pk_tasks|UNIQUE.*user_id, tasks.id"):
        add(database_with_alice, "tasks", TASK)


@pytest.mark.parametrize("what", BAD_TASKS)
def test_database_refuses_a_task_with_a(database_with_alice, what):
    constraint, changes = BAD_TASKS[what]
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        add(database_with_alice, "tasks", TASK | changes)


@pytest.mark.parametrize("what", BAD_USERS)
def test_database_refuses_a_user_with_a(database_url, what):
    constraint, changes = BAD_USERS[what]
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        add(database_url, "users", USER | changes)
