"""Tasks that repeat, as the API shows them."""

from typing import Any, Final

from tests.api.expect import MOMENT, a_task
from tests.conftest import Caller
from todo.values.positions import last

DUE: Final = "2099-01-05"
"""A Monday, so far away that the next date behind it is later than now."""
DAILY: Final = {"rule": "FREQ=DAILY"}
TEXTS: Final = {
    "FREQ=DAILY": "every day",
    "FREQ=DAILY;COUNT=2": "every day, 2 times",
    "FREQ=DAILY;COUNT=3": "every day, 3 times",
    "FREQ=DAILY;INTERVAL=3": "every 3 days",
    "FREQ=WEEKLY": "every week",
    "FREQ=WEEKLY;BYDAY=MO,TH": "every week on Monday and Thursday",
    "FREQ=MONTHLY": "every month",
}

Json = dict[str, Any]


def day(number: int) -> str:
    """A day of January 2099; the 5th is :data:`DUE`."""
    return f"2099-01-{number:02}"


def repeating(caller: Caller, title: str, **fields: Any) -> int:
    """Create a task that repeats every day; return its id."""
    task_id: int = caller.create(title, due_date=DUE, recurrence=DAILY, **fields)["id"]
    return task_id


def made_of(tasks: dict[int, Json]) -> dict[int, int]:
    """The ids of those of ``tasks`` that were made of others, by the ids of these."""
    made = {one: task["previous_id"] for one, task in tasks.items()}
    return {previous: one for one, previous in made.items() if previous is not None}


def tree(tasks: dict[int, Json]) -> dict[int, Json]:
    """``tasks`` without what every change changes."""
    left_out = ("revision", "updated_at", "completed_at")
    return {
        one: {name: value for name, value in task.items() if name not in left_out}
        for one, task in sorted(tasks.items())
    }


def first_of_series(rule: str, due: str, series_id: int, /, **recurrence: str) -> Json:
    """The members of the first task of a series; ``recurrence`` has others than usual."""
    return {
        "due_date": due,
        "recurrence": {"rule": rule, "from": "due", "start": due, **recurrence},
        "recurrence_text": TEXTS[rule],
        "occurrence": due,
        "occurrence_number": 1,
        "series_id": series_id,
    }


def a_first(owner: str, task_id: int, title: str, due: str = DUE, **fields: Any) -> Json:
    """The whole task that was created with a rule, every day; ``fields`` differ from that."""
    members = first_of_series("FREQ=DAILY", due, task_id)
    return a_task(owner, task_id, title, **{**members, **fields})


def done(task: Json, revision: int, next_id: int | None = None) -> Json:
    """``task``, once it is completed at a ``revision``."""
    state = {"completed": True, "completed_at": MOMENT, "next_id": next_id}
    return {**task, **state, "revision": revision, "updated_at": MOMENT}


def following(task: Json, task_id: int, due: str, **fields: Any) -> Json:
    """The task that completing ``task``, the last one of its place, has made."""
    own = {"id": task_id, "revision": task_id, "position": last(task_id)}
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    number = {"occurrence_number": task["occurrence_number"] + 1}
    dates = {"due_date": due, "occurrence": due}
    neighbours = {"previous_id": task["id"], "next_id": None}
    return {**task, **own, **times, **number, **dates, **neighbours, **fields}
