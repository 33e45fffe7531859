"""What must be true of a user whom several writers shared, and of whoever listened to a user."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tests.api.listening import Event
from todo.sync.sync_tokens import Place

Task = dict[str, Any]
Done = Sequence[tuple[str, Task]]
"""What was acknowledged, in the order of each writer, and the task as it was answered: ``create``,
``change``, ``toggle`` (of task 1), or ``delete``, which answers nothing (the task before it)."""

FIELDS = ("title", "description", "completed")


def violations(
    done: Done, tasks: Sequence[Task], trash: Sequence[Task], revision: int
) -> list[str]:
    """Return what is lost, doubled or otherwise wrong; nothing if all is well.

    ``tasks`` and ``trash`` are all that the user has, and ``revision`` the user's. Task 1 was there
    before, open; every other one is changed by one writer alone, and has a title of its own.
    """
    found = []
    created = Counter(task["title"] for kind, task in done if kind == "create")
    there = Counter(task["title"] for task in [*tasks, *trash] if task["id"] != 1)
    found += [f"lost: {title}" for title in created - there]
    found += [f"doubled, or never acknowledged: {title}" for title in there - created]
    if revision != 1 + len(done):
        found.append(f"{len(done)} changes after the first, but the revision is {revision}")
    return [
        *found,
        *_of_revisions(done, trash, revision),
        *_of_toggles(done, tasks),
        *_of_last_changes(done, tasks, trash),
    ]


def _of_revisions(done: Done, trash: Sequence[Task], revision: int) -> list[str]:
    """Each change took one of its own; what is in the trash has that of its deletion."""
    answered = [task["revision"] for kind, task in done if kind != "delete"]
    taken = Counter([*answered, *(task["revision"] for task in trash)])
    return [
        *(f"two changes have revision {number}" for number in taken if taken[number] > 1),
        *(f"revision {number} is beyond {revision}" for number in taken if number > revision),
    ]


def _of_toggles(done: Done, tasks: Sequence[Task]) -> list[str]:
    """Each toggle turns around what the one before it left."""
    toggles = sorted((t["revision"], t["completed"]) for kind, t in done if kind == "toggle")
    found = [
        f"the toggle at revision {revision} was lost or doubled"
        for place, (revision, completed) in enumerate(toggles)
        if completed != (place % 2 == 0)
    ]
    [shared] = [task for task in tasks if task["id"] == 1]
    if shared["completed"] != (len(toggles) % 2 == 1):
        found.append(f"{len(toggles)} toggles left the task as {shared['completed']}")
    return found


def _of_last_changes(done: Done, tasks: Sequence[Task], trash: Sequence[Task]) -> list[str]:
    """A task of one writer alone is as its last answer said."""
    last = {task["id"]: (kind, task) for kind, task in done if task["id"] != 1}
    live, deleted = ({task["id"]: task for task in place} for place in (tasks, trash))
    found = []
    for number, (kind, task) in last.items():
        place, names = (deleted, FIELDS) if kind == "delete" else (live, (*FIELDS, "revision"))
        if number not in place or any(place[number][name] != task[name] for name in names):
            found.append(f"task {number} is not as its last change, a {kind}, left it")
    return found


def heard_until(events: Sequence[Event]) -> int:
    """Return the revision that a listener has heard all changes up to."""
    return next((Place.of(event.id).revision for event in reversed(events) if event.id), 0)


def violations_of_a_listener(
    events: Sequence[Event], tasks: Sequence[Task], revision: int, done: Done | None = None
) -> list[str]:
    """Return what was missed, doubled or otherwise wrong in what a listener heard from revision 0.

    ``tasks`` is the user's list, and ``revision`` the user's. ``done`` is every change after the
    first one; without it nothing is said about what was heard of changes that others overtook.

    A ``reset`` is wrong, too: the databases here lose no commit, and so a place in the log stays.
    """
    found = [f"heard {event.name}" for event in events if event.name not in ("", "change")]
    changes = [event.data for event in events if event.name == "change"]
    found += [
        f"heard of revision {later['revision']} after {earlier['revision']}"
        for earlier, later in pairwise(changes)
        if later["revision"] <= earlier["revision"]
    ]
    if heard_until(events) != revision:
        found.append(f"heard until {heard_until(events)}, but the revision is {revision}")
    if done is not None:
        found += _of_what_was_answered(changes, done)
    return found + _of_tasks_heard(changes, tasks)


def _of_what_was_answered(changes: Sequence[dict[str, Any]], done: Done) -> list[str]:
    """Each change is heard as it was answered, and none that nobody was answered."""
    answered = {task["revision"]: task for kind, task in done if kind != "delete"}
    return [
        f"revision {change['revision']} was heard, but not answered so"
        for change in changes
        if change["revision"] > 1
        and change["op"] == "put"
        and change["data"] != answered.get(change["revision"])
    ]


def _of_tasks_heard(changes: Sequence[dict[str, Any]], tasks: Sequence[Task]) -> list[str]:
    """Whoever applied all changes, in their order, has the list."""
    last = {change["id"]: change["data"] for change in changes}
    heard = {number: task for number, task in last.items() if task is not None}
    listed = {task["id"]: task for task in tasks}
    return [
        f"task {number} is {listed.get(number)}, but was heard as {heard.get(number)}"
        for number in sorted(heard.keys() | listed.keys())
        if heard.get(number) != listed.get(number)
    ]
