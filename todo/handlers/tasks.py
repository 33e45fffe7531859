"""The tasks of one user (tag ``tasks``)."""

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
from todo.tasks import batch, bulk, moves, service
from todo.tasks.pages import TaskPages
from todo.tasks.queries import TaskQuery
from todo.tasks.resource import TASKS

Json = dict[str, Any]


def list_tasks(user: User, query: TaskQuery) -> Response:
    """A page of the user's tasks."""
    pages = TaskPages.of(user.id, query)
    if (known := list_not_modified(user.id, pages.etag)) is not None:
        return known
    page = pages.page()
    headers = {**etag_header(pages.etag(page["sync_token"])), **link_to_next(page["next_cursor"])}
    return page, 200, headers


def create_task(user: User, body: Json) -> Response:
    """A new task."""
    quota = context().tasks_per_user
    return commit(user, lambda unit: created(TASKS, service.create(unit, body, quota=quota)))


def get_task(user: User, task_id: int) -> Response:
    """One task."""
    return shown_or_not_modified(reads.get(TASKS, user.id, task_id))


def update_task(user: User, task_id: int, body: Json) -> Response:
    """A partial update, the way front ends use PUT."""
    return commit(user, lambda unit: shown(service.change(unit, task_id, body, if_match())))


def patch_task(
    user: User,
    task_id: int,
    title: str | None,
    description: str | None,
    completed: bool | None,
    body: Json | None,
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
    changes = {**fields, **given}
    return commit(user, lambda unit: shown(service.change(unit, task_id, changes, if_match())))


def complete_task(user: User, task_id: int, body: Json | None) -> Response:
    """Toggles ``completed`` without a body, sets it with one."""
    state, subtasks = (body["completed"], body.get("subtasks", False)) if body else (None, False)
    if subtasks and not state:
        detail = "completes subtasks, and never opens them"
        raise validation_failed(Violation("contradiction", detail, pointer="/subtasks"))

    def complete(unit: UnitOfWork) -> Response:
        return shown(service.complete(unit, task_id, state, if_match(), subtasks=subtasks))

    return commit(user, complete)


def move_task(user: User, task_id: int, body: Json) -> Response:
    """To another list, parent or position."""
    return commit(user, lambda unit: shown(moves.move(unit, task_id, body, if_match())))


def change_tasks(user: User, body: Json) -> Response:
    """Many changes as one."""
    quota, dry_run = context().tasks_per_user, body.get("dry_run", False)
    return commit_many(
        user, lambda unit: bulk.change(unit, body["operations"], quota=quota, dry_run=dry_run)
    )


def clear_completed(user: User) -> Response:
    """Moves every completed task to the trash."""
    return commit_many(user, batch.clear_completed)


def complete_all(user: User, body: Json) -> Response:
    """Completes every task, or takes that back."""
    return commit_many(user, lambda unit: batch.complete_all(unit, body["completed"]))


def delete_task(user: User, task_id: int) -> Response:
    """Moves a task to the trash."""
    return commit(user, lambda unit: moved_to_trash(service.delete(unit, task_id, if_match())))
