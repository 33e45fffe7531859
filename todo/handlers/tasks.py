"""The tasks of one user (tag ``tasks``)."""

from typing import Any
from urllib.parse import quote

from flask import current_app

from todo.answers import (
    Answer,
    expected,
    link_to_next,
    listed_already,
    tagged,
    unless_known,
)
from todo.identity import ME
from todo.identity.owner import Owner
from todo.problems import Violation, validation_failed
from todo.services import tasks, whole_list
from todo.services.etags import etag
from todo.services.filters import Filters
from todo.services.listing import Listing

Json = dict[str, Any]


def list_tasks(
    user: Owner,
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


def create_task(user: Owner, body: Json) -> Answer:
    """A new task."""
    task = tasks.create(user, body, quota=current_app.config["TASKS_PER_USER"])
    location = f"/api/{_segment(user.id)}/tasks/{task['id']}"
    return task, 201, {"Location": location, **_tag_of(task)}


def get_task(user: Owner, task_id: int) -> Answer:
    """One task."""
    task = tasks.get(user.id, task_id)
    return unless_known(task, etag(user.id, task["revision"]))


def update_task(user: Owner, task_id: int, body: Json) -> Answer:
    """A partial update, the way front ends use PUT."""
    task = tasks.change(user, task_id, body, expected())
    return task, 200, _tag_of(task)


def patch_task(
    user: Owner,
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
        Violation("contradiction", "is in the query and in the body", parameter=name)
        for name in given
        if name in fields
    ]
    if twice:
        raise validation_failed(*twice)
    task = tasks.change(user, task_id, {**fields, **given}, expected())
    return task, 200, _tag_of(task)


def complete_task(user: Owner, task_id: int, body: Json | None) -> Answer:
    """Toggles ``completed`` without a body, sets it with one."""
    task = tasks.complete(user, task_id, body["completed"] if body else None, expected())
    return task, 200, _tag_of(task)


def clear_completed(user: Owner) -> Json:
    """Moves every completed task to the trash."""
    return dict(whole_list.clear_completed(user))


def complete_all(user: Owner, body: Json) -> Json:
    """Completes every task, or takes that back."""
    return dict(whole_list.complete_all(user, body["completed"]))


def delete_task(user: Owner, task_id: int) -> None:
    """Moves a task to the trash."""
    tasks.delete(user, task_id, expected())


def _tag_of(task: Json) -> dict[str, str]:
    return tagged(etag(task["user_id"], task["revision"]))


def _segment(user: str) -> str:
    """The path segment of ``user``: ``me`` where the id itself cannot be one."""
    return ME if "/" in user or user in (".", "..") else quote(user, safe="")
