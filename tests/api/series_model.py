"""Which tasks follow which, in a few lines; the dates are those of python-dateutil.

All dates are days in UTC. The moment at which a unit happens is the server's: the model is told.
"""

from bisect import bisect
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from dateutil.rrule import rrulestr

from tests.api.places_model import LEVELS, Places, Refused, Task

DATED = ("due_date", "recurrence", "occurrence", "occurrence_number")
ENDED = ("recurrence", "occurrence", "occurrence_number", "series_id")


def days(rule: str, start: str) -> Any:
    """The days of a rule, without its COUNT."""
    parts = [part for part in rule.split(";") if not part.startswith("COUNT=")]
    return rrulestr(";".join(parts), dtstart=datetime.fromisoformat(start))


def next_day(task: Task, now: str) -> str | None:
    """When the task behind one that repeats is due."""
    recurrence, today = task["recurrence"], now[:10]
    parts = dict(part.split("=") for part in recurrence["rule"].split(";"))
    if task["occurrence_number"] >= int(parts.get("COUNT", 1000)):
        return None
    start, behind = recurrence["start"], max(task["occurrence"], today)
    if recurrence["from"] == "completion":
        start = behind = today
    found: date = days(recurrence["rule"], start).after(datetime.fromisoformat(behind))
    return f"{found:%Y-%m-%d}"


@dataclass
class Series(Places):
    """Places of tasks that repeat; ``now`` is the moment of this unit, as the server says it."""

    blank: ClassVar[Task] = {**Places.blank, **dict.fromkeys(DATED)}
    now: str = ""
    read: dict[int, Task] = field(default_factory=dict)
    """The live tasks before this unit."""

    def do(self, operation: Task) -> None:
        self.read = deepcopy(self.live)
        super().do(operation)

    def edit(self, task: Task, data: Task) -> None:
        before = dict(task)
        task["due_date"] = data.get("due_date", task["due_date"])
        self.settle(task, data)
        if task != before:
            self.changed.add(task["id"])
        super().edit(task, data)

    def settle(self, task: Task, data: Task) -> None:
        """Give a task the series that it is asked to be in."""
        old = task["recurrence"]
        asked = data.get("recurrence", old)
        if asked is None:
            task.update(dict.fromkeys(ENDED if old else ()))
            return
        if task["due_date"] is None and (old or "due_date" in data):
            raise Refused(422, "contradiction")
        if old is not None and (old["rule"], old["from"]) == (asked["rule"], asked["from"]):
            return
        if task["due_date"] is None:
            today = self.now[:10]
            first = days(asked["rule"], today).after(datetime.fromisoformat(today), inc=True)
            task["due_date"] = f"{first:%Y-%m-%d}"
        due = task["due_date"]
        task["recurrence"] = {"rule": asked["rule"], "from": asked["from"], "start": due}
        task.update(occurrence=due, occurrence_number=1, series_id=task["id"])

    def skip(self, operation: Task) -> None:
        task = self.task(operation["id"])
        if task["recurrence"] is None or task["completed"]:
            raise Refused(422, "contradiction")
        if (due := next_day(task, self.now)) is None:
            raise Refused(422, "contradiction")
        task.update(due_date=due, occurrence=due)
        self.changed.add(task["id"])

    def complete_all(self, operation: Task) -> None:
        """What repeats is completed last, and reopened first; what is below others goes first."""
        completed = operation["completed"]
        changing = [one["id"] for one in self.live.values() if one["completed"] != completed]
        in_series = {one for one in changing if self.goes_with_others(self.live[one])}
        key = {
            one: ((one in in_series) == completed, -self.level(self.live[one])) for one in changing
        }
        for task_id in sorted(changing, key=key.__getitem__):
            self.set_completed(self.live[task_id], completed)

    def goes_with_others(self, task: Task) -> bool:
        following = self.live.get(task["next_id"])
        is_made = following is not None and following["revision"] == following["id"]
        return is_made if task["completed"] else task["recurrence"] is not None

    def set_completed(self, task: Task, completed: bool) -> None:
        if task["completed"] == completed:
            return
        super().set_completed(task, completed)
        if not completed:
            self.take_back(task)
        elif task["recurrence"] is not None and task["next_id"] not in self.live:
            self.make_next(task)

    def make_next(self, task: Task) -> None:
        if (due := next_day(task, self.now)) is None:
            return
        made = self.copy(task, {name: task[name] for name in (*DATED, "series_id")})
        made.update(due_date=due, occurrence=due, occurrence_number=task["occurrence_number"] + 1)
        task["next_id"] = made["id"]
        self.add(made, self.order[task["list_id"], task["parent_id"]].index(task["id"]) + 1)
        self.carry_over(task, made)

    def copy(self, task: Task, members: Task) -> Task:
        own = {"id": -1 - len(self.new), "completed": False, "previous_id": task["id"]}
        return {**task, **dict.fromkeys(ENDED), **members, **own, "next_id": None}

    def carry_over(self, task: Task, made: Task) -> None:
        """The open steps of a task go to the next one, completed ones are copied."""
        for step_id in list(self.order.get((task["list_id"], task["id"]), ())):
            step = self.live[step_id]
            if not step["completed"]:
                self.go_below(step, made, None)
            elif step["next_id"] is None:
                copied = {**self.copy(step, {}), "parent_id": made["id"]}
                self.add(copied, None)
                self.carry_over(step, copied)

    def go_below(self, step: Task, parent: Task, index: int | None) -> None:
        self.put(step, (parent["list_id"], parent["id"]), index)

    def take_back(self, task: Task) -> None:
        """A next task that is as it was made goes, and gives the steps back that it was given."""
        made = self.live.get(task["next_id"])
        if made is None or not self.is_as_made(made):
            return
        moved = [one for one in self.below(made) if is_older(one["id"], made["id"])]
        back = [(one, self.original(one, made, task)) for one in moved]
        back = [(one, under) for one, under in back if under is not None]
        if any(self.level(under) + self.height(one["id"]) > LEVELS for one, under in back):
            return
        task["next_id"] = None
        for one, under in back:
            place = self.order.setdefault((under["list_id"], under["id"]), [])
            self.go_below(one, under, bisect(place, one["position"], key=self.position))
        self.to_trash([made, *self.below(made)])

    def original(self, step: Task, made: Task, task: Task) -> Task | None:
        """What a step comes back to: the task, or what the step above it is a copy of; nothing
        where that comes back itself.
        """
        above = self.live[step["parent_id"]]
        if above is made:
            return task
        if is_older(above["id"], made["id"]):
            return None
        under = self.live.get(above["previous_id"], task)
        return under if under["parent_id"] == task["id"] else task

    def level(self, task: Task) -> int:
        return 1 + len(list(self.above(task["id"])))

    def is_as_made(self, made: Task) -> bool:
        """Whether nothing of a next task has changed since, nor of what is below it by now."""
        if made["id"] > 0 and (made["id"] in self.changed or made["revision"] != made["id"]):
            return False
        return not any(self.has_changed(one, made) for one in self.below(made))

    def has_changed(self, one: Task, made: Task) -> bool:
        """Whether what is below a next task has changed; a change of this unit does not count."""
        was = self.read.get(one["id"])
        if was is None or was["parent_id"] != one["parent_id"]:
            return bool(one["completed"]) or made["id"] > 0
        if not 0 < made["id"] < was["revision"]:
            return False
        return bool(was["completed"]) or was["updated_at"] != made["created_at"]

    def height(self, task_id: int) -> int:
        children = self.order.get((self.live[task_id]["list_id"], task_id), ())
        return 1 + max(map(self.height, children), default=0)


def is_older(one: int, other: int) -> bool:
    """Whether a task was there before another one; what is new has a negative id."""
    return (one < 0, abs(one)) < (other < 0, abs(other))
