"""The tasks of one user (tag ``tasks``)."""

from typing import Any
from urllib.parse import quote

from flask import current_app
from sqlalchemy import Connection

from todo.auth import ME
from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS
from todo.http.responses import (
    Answer,
    changed,
    changed_many,
    expected,
    link_to_next,
    listed_already,
    tagged,
    unless_known,
)
from todo.problems import Violation, validation_failed
from todo.sync.etags import etag
from todo.tasks import batch, bulk, service
from todo.tasks.filters import Filters
from todo.tasks.listing import Listing

Json = dict[str, Any]


def list_tasks(
    user: User,
    skip: int,
    limit: int,
    cursor: str | None,
    total: bool,
    status: str | None,
    completed: bool | None,
    priority: list[str] | None,
    tag: list[str] | None,
    search: str | None,
    due_after: str | None,
    due_before: str | None,
    completed_after: str | None,
    completed_before: str | None,
    updated_since: str | None,
    view: str | None,
    tz: str,
    sort: str,
    order: Any,
) -> Answer:
    """A page of the user's tasks."""
    filters = Filters.of(
        status=status,
        completed=completed,
        priority=priority,
        tag=tag,
        search=search,
        due_after=due_after,
        due_before=due_before,
        completed_after=completed_after,
        completed_before=completed_before,
        updated_since=updated_since,
        view=view,
        tz=tz,
    )
    listing = Listing.of(
        user.id,
        filters,
        sort=sort,
        order=order,
        skip=skip,
        limit=limit,
        cursor=cursor,
        total=total,
    )
    if (known := listed_already(user.id, listing.etag)) is not None:
        return known
    page = listing.page()
    return (
        page,
        200,
        {**tagged(listing.etag(page["revision"])), **link_to_next(page["next_cursor"])},
    )


def create_task(user: User, body: Json) -> Answer:
    """A new task."""

    def unit(tx: Connection) -> Answer:
        task = service.create(tx, user, body, quota=current_app.config["TASKS_PER_USER"])
        location = f"/api/{_segment(user.id)}/tasks/{task['id']}"
        return task, 201, {"Location": location, **_tag_of(task)}

    return changed(user, unit)


def get_task(user: User, task_id: int) -> Answer:
    """One task."""
    task = service.get(user.id, task_id)
    return unless_known(task, etag(user.id, task["revision"]))


def update_task(user: User, task_id: int, body: Json) -> Answer:
    """A partial update, the way front ends use PUT."""
    return changed(user, lambda tx: _shown(service.change(tx, user, task_id, body, expected())))


def patch_task(
    user: User,
    task_id: int,
    title: str | None,
    description: str | None,
    completed: bool | None,
    body: Json | None,
) -> Answer:
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
    return changed(user, lambda tx: _shown(service.change(tx, user, task_id, changes, expected())))


def complete_task(user: User, task_id: int, body: Json | None) -> Answer:
    """Toggles ``completed`` without a body, sets it with one."""
    state = body["completed"] if body else None
    return changed(user, lambda tx: _shown(service.complete(tx, user, task_id, state, expected())))


def change_tasks(user: User, body: Json) -> Answer:
    """Many changes as one."""
    quota, dry_run = current_app.config["TASKS_PER_USER"], body.get("dry_run", False)

    def unit(tx: Connection) -> Answer:
        changes = bulk.change(tx, user, body["operations"], quota=quota, dry_run=dry_run)
        return changes, 200, {}

    return changed(user, unit, seconds=MANY_SECONDS)


def clear_completed(user: User) -> Answer:
    """Moves every completed task to the trash."""
    return changed_many(user, lambda tx: batch.clear_completed(tx, user))


def complete_all(user: User, body: Json) -> Answer:
    """Completes every task, or takes that back."""
    return changed_many(user, lambda tx: batch.complete_all(tx, user, body["completed"]))


def delete_task(user: User, task_id: int) -> Answer:
    """Moves a task to the trash."""

    def unit(tx: Connection) -> Answer:
        revision = service.delete(tx, user, task_id, expected())
        return None, 204, tagged(etag(user.id, revision))

    return changed(user, unit)


def _shown(task: Json) -> Answer:
    return task, 200, _tag_of(task)


def _tag_of(task: Json) -> dict[str, str]:
    return tagged(etag(task["user_id"], task["revision"]))


def _segment(user: str) -> str:
    """The path segment of ``user``: ``me`` where the id itself cannot be one."""
    return ME if "/" in user or user in (".", "..") else quote(user, safe="")
