"""The tasks of one user (tag ``tasks``)."""

from itertools import islice
from typing import Any

from todo.auth.user import User
from todo.context import context
from todo.http.responses import (
    Response,
    commit,
    commit_many,
    created,
    etag_header,
    if_match,
    link_to_next,
    list_not_modified,
    moved_to_trash,
    shown,
    shown_or_not_modified,
)
from todo.problems import Violation, validation_failed
from todo.sync import reads
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import batch, bulk, moves, occurrences, recurrence, service
from todo.tasks.pages import TaskPages
from todo.tasks.queries import TaskQuery
from todo.tasks.resource import TASKS
from todo.tasks.terms import Terms
from todo.values.dates import zone

Json = dict[str, Any]


def list_tasks(user: User, query: TaskQuery) -> Response:
    """A page of the user's tasks."""
    pages = TaskPages.of(user.id, query)
    if (known := list_not_modified(user.id, pages.etag)) is not None:
        return known
    page = pages.page()
    headers = {**etag_header(pages.etag(page["sync_token"])), **link_to_next(page["next_cursor"])}
    return page, 200, headers


def create_task(user: User, body: Json, tz: str) -> Response:
    """A new task."""
    terms = _terms(tz)
    return commit(user, lambda unit: created(TASKS, service.create(unit, body, terms)))


def get_task(user: User, task_id: int) -> Response:
    """One task."""
    return shown_or_not_modified(reads.get(TASKS, user.id, task_id))


def update_task(user: User, task_id: int, body: Json, tz: str) -> Response:
    """A partial update, the way front ends use PUT."""
    return _update(user, task_id, body, tz)


def patch_task(
    user: User,
    task_id: int,
    title: str | None,
    description: str | None,
    completed: bool | None,
    body: Json | None,
    tz: str,
) -> Response:
    """A partial update, from the body, from query parameters, or from both."""
    query = {"title": title, "description": description, "completed": completed}
    given = {name: value for name, value in query.items() if value is not None}
    fields = body or {}
    twice = [
        Violation("contradiction", "is given both in the query and in the body", parameter=name)
        for name in given
        if name in fields
    ]
    if twice:
        raise validation_failed(*twice)
    return _update(user, task_id, {**fields, **given}, tz)


def _update(user: User, task_id: int, changes: Json, tz: str) -> Response:
    terms = _terms(tz)

    def update(unit: UnitOfWork) -> Response:
        return shown(service.change(unit, task_id, changes, terms, if_match()))

    return commit(user, update)


def _terms(tz: str) -> Terms:
    return Terms(context().tasks_per_user, zone(tz))


def complete_task(user: User, task_id: int, body: Json | None, tz: str) -> Response:
    """Toggles ``completed`` without a body, sets it with one."""
    state, subtasks = (body["completed"], body.get("subtasks", False)) if body else (None, False)
    terms = _terms(tz)

    def complete(unit: UnitOfWork) -> Response:
        return shown(service.complete(unit, task_id, state, terms, if_match(), subtasks=subtasks))

    return commit(user, complete)


def move_task(user: User, task_id: int, body: Json) -> Response:
    """To another list, parent or position."""
    return commit(user, lambda unit: shown(moves.move(unit, task_id, body, if_match())))


def skip_task(user: User, task_id: int, tz: str) -> Response:
    """A task takes the next date of its series."""
    where = zone(tz)
    return commit(user, lambda unit: shown(occurrences.skip(unit, task_id, where, if_match())))


def list_occurrences(user: User, task_id: int, limit: int, tz: str) -> Response:
    """When a task that repeats is due after this time."""
    task = reads.get(TASKS, user.id, task_id)
    due_dates = recurrence.occurrences(task, zone(tz))
    return {"occurrences": list(islice(due_dates, limit))}, 200, {}


def change_tasks(user: User, body: Json, tz: str) -> Response:
    """Many changes as one."""
    terms, dry_run = _terms(tz), body.get("dry_run", False)
    return commit_many(
        user, lambda unit: bulk.change(unit, body["operations"], terms, dry_run=dry_run)
    )


def clear_completed(user: User) -> Response:
    """Moves every completed task to the trash."""
    return commit_many(user, batch.clear_completed)


def complete_all(user: User, body: Json, tz: str) -> Response:
    """Completes every task, or takes that back."""
    terms = _terms(tz)
    return commit_many(user, lambda unit: batch.complete_all(unit, body["completed"], terms))


def delete_task(user: User, task_id: int) -> Response:
    """Moves a task to the trash."""
    return commit(user, lambda unit: moved_to_trash(service.delete(unit, task_id, if_match())))
