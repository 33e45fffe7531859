"""What must be true of a user whom several writers shared."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

Task = dict[str, Any]
Done = Sequence[tuple[str, Task]]
"""What was acknowledged: ``create`` or ``toggle``, and the task as it was answered."""


def violations(done: Done, tasks: Sequence[Task], revision: int) -> list[str]:
    """Return what is lost, doubled or otherwise wrong; nothing if all is well.

    ``tasks`` are all that the user has, and ``revision`` the user's. Task 1 was there before, open.
    """
    found = []
    created = Counter(task["title"] for kind, task in done if kind == "create")
    there = Counter(task["title"] for task in tasks if task["id"] != 1)
    found += [f"lost: {title}" for title in created - there]
    found += [f"doubled, or never acknowledged: {title}" for title in there - created]
    revisions = Counter(task["revision"] for _, task in done)
    found += [
        f"two changes have revision {number}" for number in revisions if revisions[number] > 1
    ]
    if revision != 1 + len(done):
        found.append(f"{len(done)} changes after the first, but the revision is {revision}")
    return found + _of_toggles(done, tasks)


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
